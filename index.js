'use strict';

// The exports: those of the builtin, with our functions in place of its own.

const { addon } = require('./lib/calls');
const exported = require('./lib/builtin/exported');
const { MAJOR } = require('./lib/common/version');
const { version } = require('./package.json');

// The last Node whose child_process is known to have no other names than those below.
const KNOWN_MAJOR = 26;

const isNative = addon() !== null;
const isKnown = isNative && MAJOR <= KNOWN_MAJOR;
module.exports = { ...(isKnown || require('node:child_process')), ...(isNative && exported.ours()), isNative, version };
// With `register`, it is Node's child_process.
exported.current ??= module.exports;

// Never run: from these lines Node learns the names that `import { spawn } from 'child-process-rs'` may use.
// prettier-ignore
0 && (module.exports = {
  ChildProcess, _forkChild, exec, execFile, execFileSync, execSync, fork, isNative, spawn, spawnSync, version,
});
