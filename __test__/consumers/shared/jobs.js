'use strict';

// What every runner's project has the package do. Each job gets a `child_process` and resolves with text or a number,
// which are the same in every realm that a runner may have made.

const { once } = require('node:events');
const { promisify } = require('node:util');

const CHILD = require.resolve('./child.js');

async function spawned({ spawn }) {
  const child = spawn('cat');
  child.stdin.end('through a pipe');
  return (await child.stdout.setEncoding('utf8').toArray()).join('');
}

async function missing({ spawn }) {
  const [error] = await once(spawn('no-such-program'), 'error');
  return error.code;
}

async function executed({ exec, execFile }) {
  const { stdout } = await promisify(exec)('echo "$A"', { env: { ...process.env, A: 'from exec' } });
  const buffers = await promisify(execFile)('echo', ['bytes'], { encoding: 'buffer' });
  const failed = await promisify(execFile)('sh', ['-c', 'echo why >&2; exit 4']).catch(
    (error) => `${error.code} ${error.stderr}`,
  );
  return [stdout, Buffer.isBuffer(buffers.stdout), String(buffers.stdout), failed].join();
}

function waited({ execFileSync, execSync, spawnSync }) {
  return [
    execSync('echo sync', { encoding: 'utf8' }),
    execFileSync('cat', { input: 'fed', encoding: 'utf8' }),
    spawnSync('sh', ['-c', 'exit 5']).status,
  ].join();
}

async function timedOut({ exec }) {
  const error = await promisify(exec)('sleep 60', { timeout: 50 }).catch((failure) => failure);
  return error.signal;
}

async function talked({ fork }, serialization) {
  const child = fork(CHILD, { serialization });
  const answers = [];
  for (const text of ['a', 'b', 'c']) child.send({ text, bytes: new Uint8Array([1, 2, 3]) });
  child.on('message', ({ text, length, number }) => {
    answers.push(text, length, number);
    if (answers.length === 9) child.disconnect();
  });
  await once(child, 'exit');
  return answers.join();
}

const LENGTH = { json: undefined, advanced: 3 };
const answersBy = (serialization) =>
  ['a', 'b', 'c'].flatMap((text, i) => [text.toUpperCase(), LENGTH[serialization], i]).join();

const JOBS = {
  'spawn, with a pipe in and out': [spawned, 'through a pipe'],
  'a missing program': [missing, 'ENOENT'],
  'exec and execFile, promisified': [executed, 'from exec\n,true,bytes\n,4 why\n'],
  'the synchronous ones': [waited, 'sync\n,fed,5'],
  'a timeout': [timedOut, 'SIGTERM'],
  'fork and messages, json': [(ours) => talked(ours, 'json'), answersBy('json')],
  'fork and messages, advanced': [(ours) => talked(ours, 'advanced'), answersBy('advanced')],
};

// Where register is loaded, whoever asks for the builtin must get ours.
const subject = (ours) => (process.env.REGISTERED ? require('node:child_process') : ours);

module.exports = Object.fromEntries(
  Object.entries(JOBS).map(([title, [job, expected]]) => [title, [(ours) => job(subject(ours)), expected]]),
);
