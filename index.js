'use strict';

// The exports: those of the builtin, with our functions in place of its own.

const { native } = require('./lib/addon/native');
const exported = require('./lib/builtin/exported');
const { version } = require('./package.json');

// The last Node whose child_process is known to have no other names than those below.
const KNOWN_MAJOR = 26;

function ours() {
  // Before other code opens descriptors without close-on-exec.
  native.noteInherited();
  const { withHooks } = require('./lib/builtin/originals');
  const { MAJOR } = require('./lib/common/version');
  const { _forkChild, childProcess, ...functions } = require('./lib/calls');
  const isKnown = MAJOR <= KNOWN_MAJOR;
  // In the builtin's order.
  const names = {
    ...(isKnown || require('node:child_process')),
    _forkChild,
    ChildProcess: undefined,
    ...withHooks(functions),
  };
  return Object.defineProperty(names, 'ChildProcess', childProcess);
}

module.exports = native ? ours() : { ...require('node:child_process') };
module.exports.isNative = native !== null;
module.exports.version = version;
exported.current = module.exports;

// Never run: from these lines Node learns the names that `import { spawn } from 'child-process-rs'` may use.
// prettier-ignore
0 && (module.exports = {
  ChildProcess, _forkChild, exec, execFile, execFileSync, execSync, fork, isNative, spawn, spawnSync, version,
});
