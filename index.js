'use strict';

// The builtin, with what is ours in its place.

const { native } = require('./lib/native');
const exported = require('./lib/exported');
const { version } = require('./package.json');

function ours() {
  const { withHooks } = require('./lib/builtin');
  const { ChildProcess } = require('./lib/child');
  const { exec, execFile } = require('./lib/exec');
  const { fork, spawn } = require('./lib/spawn');
  const { execFileSync, execSync, spawnSync } = require('./lib/sync');
  return { ChildProcess, ...withHooks({ exec, execFile, execFileSync, execSync, fork, spawn, spawnSync }) };
}

module.exports = { ...require('node:child_process'), ...(native && ours()), isNative: native !== null, version };
exported.current = module.exports;

// Never run: from this line Node learns the names that `import { spawn } from 'child-process-rs'` may use.
// prettier-ignore
0 && (module.exports = {
  ChildProcess, _forkChild, exec, execFile, execFileSync, execSync, fork, isNative, spawn, spawnSync, version,
});
