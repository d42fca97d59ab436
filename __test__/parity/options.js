'use strict';

// Options that several functions have, for scenarios that try each of them.

const ID = { skip: ['-0', 'a bigint', 'a symbol', 'a null-prototype object', 'a null-prototype object with keys'] };

/**
 * The options of spawn() and spawnSync() that are tried with every kind of value, and how: the `command` that is run,
 * its `args`, and the values to `skip`.
 */
const TRIED = {
  cwd: {},
  detached: {},
  // -0 takes the builtin down: its own check lets it pass, an assertion in its C++ does not.
  uid: { command: 'sh', args: ['-c', 'exit $(id -u)'], ...ID },
  gid: { command: 'sh', args: ['-c', 'exit $(id -g)'], ...ID },
  shell: {},
  argv0: {},
  env: { command: '/bin/true' },
  windowsHide: {},
  windowsVerbatimArguments: {},
};

/** Options of spawn() that exec() and execFile() do not pass on, each with a value that would show. */
const NOT_PASSED_ON = {
  stdio: 'ignore',
  detached: 'x',
  serialization: 'x',
  input: 'x',
  file: 'x',
  args: ['x'],
  envPairs: ['A=1'],
};

module.exports = { NOT_PASSED_ON, TRIED };
