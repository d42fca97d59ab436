'use strict';

// `node __test__/process/soak.js [20000]`: that many spawns, a quarter of them failing in mixed ways, some killed,
// some piped, a bounded number at once. Ends with what is left over, against a snapshot taken after warming up, as
// one line of JSON; the exit code says whether it is nothing. SOAK_SUBJECT names another module to try.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { ending } = require('../helpers/settle');
const { soak } = require('../helpers/soaking');

const cp = require(process.env.SOAK_SUBJECT ?? path.resolve(__dirname, '../../index.js'));

const TOTAL = Number(process.argv[2] ?? 20_000);
const WARM_UP = Math.max(400, Math.min(2000, TOTAL / 10));
const AT_ONCE = 16;

const TOO_LONG = 'x'.repeat(131_072);

// Twelve that work, four that fail: a quarter.
const JOBS = [
  () => cp.spawn('true', { stdio: 'ignore' }),
  () => cp.spawn('true'),
  () => echo(),
  () => cat(),
  () => cp.spawn('false', { stdio: 'ignore' }),
  () => killed('SIGKILL'),
  () => cp.spawn('true', { stdio: ['ignore', 'pipe', 'ignore'] }),
  () => cp.spawn('true', { stdio: 'ignore', env: { A: '1', PATH: '/usr/bin:/bin' } }),
  () => killed('SIGTERM'),
  () => echo(),
  () => cp.spawn('true', { stdio: 'ignore', cwd: '/', detached: true }),
  () => cp.spawn('sh', ['-c', 'exit 3'], { stdio: 'ignore', timeout: 60_000 }),
  ...failing(),
];

function failing() {
  const kinds = [
    () => cp.spawn('no-such-program'),
    () => cp.spawn('/', { stdio: 'ignore' }),
    () => cp.spawn('true', { cwd: '/nonexistent-dir' }),
    () => cp.spawn('true', [TOO_LONG]),
    () => cp.spawn('true', { uid: -1 }),
    () => cp.spawn('true', { stdio: ['pipe', 'pipe', 'pipe', 9999] }),
    () => cp.spawn('true', { stdio: ['pipe', 'ipc', 'ipc'] }),
    () => cp.spawn('a\0b'),
    () => cp.spawn('no-such-program', { stdio: 'ignore', signal: AbortSignal.abort() }),
  ];
  let next = 0;
  const one = () => kinds[next++ % kinds.length]();
  return [one, one, one, one];
}

function echo() {
  const child = cp.spawn('echo', ['hello']);
  child.stdout.resume();
  return child;
}

function cat() {
  const child = cp.spawn('cat');
  child.stdin.end('through');
  child.stdout.resume();
  return child;
}

function killed(signal) {
  const child = cp.spawn('sleep', ['10'], { stdio: 'ignore' });
  child.kill(signal);
  return child;
}

async function job(number) {
  const { thrown, failed, code, signal } = await ending(JOBS[number % JOBS.length]);
  return thrown ? `thrown ${thrown}` : failed ? `error ${failed}` : (signal ?? `code ${code}`);
}

async function main() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'soak-'));
  process.chdir(dir);
  const result = await soak({ total: TOTAL, warmUp: WARM_UP, atOnce: AT_ONCE, job });
  fs.rmdirSync(dir);
  console.log(JSON.stringify({ spawns: TOTAL, ...result }));
  process.exitCode = result.clean ? 0 : 1;
}

main();
