'use strict';

// child-process-rs/promises: commands as promises, natively or over the builtin.

const { current } = require('./lib/exec/launchers');
const { promisesOver } = require('./lib/exec/promises');

module.exports = promisesOver(current);
