'use strict';

// A program of a user: everything once. Prints what it has seen as one line of JSON.

const { once } = require('node:events');
const { promisify } = require('node:util');
const { exec, execFile, execSync, fork, isNative, spawn, spawnSync, version } = require('child-process-rs');

async function main() {
  const seen = { isNative, version };
  const child = spawn('cat');
  child.stdin.end('spawned');
  seen.spawn = String((await child.stdout.toArray()).join(''));
  seen.exec = (await promisify(exec)('echo "$0"')).stdout;
  seen.execFile = await new Promise((resolve) => execFile('false', (error) => resolve(error.code)));
  seen.missing = (await once(spawn('no-such-program'), 'error'))[0].code;
  seen.execSync = execSync('echo sync', { encoding: 'utf8' });
  seen.spawnSync = spawnSync('sh', ['-c', 'exit 3']).status;

  const forked = fork(require.resolve('./child.cjs'), { serialization: 'advanced' });
  forked.send({ big: 2n ** 70n });
  seen.fork = String((await once(forked, 'message'))[0].big);
  forked.disconnect();
  await once(forked, 'exit');

  const { $, sh } = require('child-process-rs/promises');
  seen.promises = [
    (await $`echo ${'one; two'}`).stdout,
    (await sh`echo ${'a b'} | wc -w`).stdout.trim(),
    (await $({ reject: false })`no-such-program`).code,
    $.sync`echo sync`.stdout,
  ];
  console.log(JSON.stringify(seen));
}

main();
