'use strict';

// The exported functions and the class, in the builtin's order. `current` is the object that exports them: as in the
// builtin, exec() calls execFile() through it, so that a program may replace execFile.

const { _forkChild, functions } = require('../calls');
const { ChildProcess } = require('../process/class');
const { withHooks } = require('./originals');

const ours = () => ({ _forkChild, ChildProcess, ...withHooks(functions) });

module.exports = { current: null, ours };
