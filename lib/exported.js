'use strict';

// The object whose functions call one another, as the builtin's do: exec() is execFile() with a shell, and a program
// may put an execFile of its own in its place.

module.exports = { current: null };
