'use strict';

// `current` is the exported object. As in the builtin, exec() calls execFile() through it, so that a program may
// replace execFile.

module.exports = { current: null };
