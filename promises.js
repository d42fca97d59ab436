'use strict';

// child-process-rs/promises: commands as promises, natively or over the builtin.

const { current } = require('./lib/exec/launchers');
const { promisesOver } = require('./lib/exec/promises');

const { $, CommandError, exec, execFile, lines, sh } = promisesOver(current);

// From this line Node learns the names that can be imported.
module.exports = { $, CommandError, exec, execFile, lines, sh };
