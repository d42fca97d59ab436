'use strict';

// Runs the smoke programs on a machine and compares what they print with what they must.

const fs = require('node:fs');
const path = require('node:path');

const { version } = require('../../../package.json');

const PROGRAMS = path.join(__dirname, '../smoke');

const lastLine = ({ code, output }) => (code === 0 ? JSON.parse(output.trim().split('\n').at(-1)) : { code, output });

function expected(isNative) {
  return {
    isNative,
    version,
    spawn: 'spawned',
    exec: '/bin/sh\n',
    execFile: 1,
    missing: 'ENOENT',
    execSync: 'sync\n',
    spawnSync: 3,
    fork: String(2n ** 70n + 1n),
    promises: ['one; two', '2', 'ENOENT', 'sync'],
  };
}

/**
 * `run` starts a script of the machine's project with further arguments; the machine's own Node unless told otherwise.
 */
async function smoke(
  t,
  machine,
  { isNative = true, before = [], run = (...args) => machine.run(...before, ...args) } = {},
) {
  fs.cpSync(PROGRAMS, machine.project, { recursive: true });
  t.deepEqual(lastLine(await run('main.cjs')), expected(isNative));
  t.deepEqual(lastLine(await run('module.mjs')), {
    isNative,
    same: [true, true, true, true],
    echo: 'hello\n',
    promises: true,
  });
}

module.exports = { smoke };
