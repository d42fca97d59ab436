'use strict';

// `node __test__/soak.js [20000]`: that many spawns, a quarter of them failing in mixed ways, some killed, some piped,
// a bounded number at once. Ends with what is left over, against a snapshot taken after warming up, as one line of
// JSON; the exit code says whether it is nothing. SOAK_SUBJECT names another module to try.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { countAllFds, ending, leftovers, rssGrowthMb, rssMb, snapshot, until } = require('./helpers/settle');

const cp = require(process.env.SOAK_SUBJECT ?? path.resolve(__dirname, '../index.js'));

const TOTAL = Number(process.argv[2] ?? 20_000);
const WARM_UP = Math.max(400, Math.min(2000, TOTAL / 10));
const AT_ONCE = 16;
// What V8 and the allocator keep for themselves differs from run to run; a leak of 1 kB a spawn would show in 20,000.
const RSS_SLACK_MB = 24;

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

async function run(count, onProgress) {
  const tally = {};
  let started = 0;
  async function lane() {
    while (started < count) {
      const job = JOBS[started % JOBS.length];
      started += 1;
      const { thrown, failed, code, signal } = await ending(job);
      const label = thrown ? `thrown ${thrown}` : failed ? `error ${failed}` : signal ?? `code ${code}`;
      tally[label] = (tally[label] ?? 0) + 1;
      if (started % 1000 === 0) onProgress(started);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return tally;
}

async function main() {
  require('node:v8').setFlagsFromString('--expose-gc');
  global.gc = require('node:vm').runInNewContext('gc');
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'soak-'));
  process.chdir(dir);

  await run(WARM_UP, () => {});
  const before = snapshot();
  const fdsBefore = countAllFds();
  const rssBefore = await rssMb();
  const began = Date.now();
  const tally = await run(TOTAL, (done) => { if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${TOTAL}`); });
  if (process.stderr.isTTY) process.stderr.write('\n');

  const left = await leftovers(before, 30_000);
  const rssGrowth = await rssGrowthMb(rssBefore, RSS_SLACK_MB);
  // One more may be the loop's own, made late.
  await until(() => countAllFds() - fdsBefore <= 1, 10_000);
  const fdGrowth = countAllFds() - fdsBefore;
  const clean = left.fds <= 0 && fdGrowth <= 1 && left.zombies <= 0 && left.resources.length === 0 && rssGrowth < RSS_SLACK_MB;
  fs.rmdirSync(dir);
  console.log(JSON.stringify({ spawns: TOTAL, seconds: (Date.now() - began) / 1000, tally, left, fdGrowth, rssGrowth, clean }));
  process.exitCode = clean ? 0 : 1;
}

main();
