'use strict';

// `node __test__/exec/exec-soak.js [10000]`: that many commands through exec, execFile, the synchronous family and the
// promises, ending in every way there is, a bounded number at once. Ends with what is left over, against a snapshot
// taken after warming up, as one line of JSON; the exit code says whether it is nothing. SOAK_SUBJECT names another
// module to try.

const path = require('node:path');
const { once } = require('node:events');
const { promisify } = require('node:util');

const { soak } = require('../helpers/soaking');

const SUBJECT = process.env.SOAK_SUBJECT ?? path.resolve(__dirname, '../../index.js');
const cp = require(SUBJECT);
const promises = path.isAbsolute(SUBJECT) ? require('../../promises') : null;

const TOTAL = Number(process.argv[2] ?? 10_000);
// As many as are measured: threads, their allocators and the engine take their time to reach what they will keep.
const WARM_UP = TOTAL;
const AT_ONCE = 12;

const STAYS = '; exec sleep 20';

// Each resolves with a label that says how it ended.
const JOBS = {
  exec: () => callback((done) => cp.exec('echo hello', done)),
  execFile: () => callback((done) => cp.execFile('echo', ['hello'], done)),
  bytes: () => callback((done) => cp.execFile('echo', ['hello'], { encoding: 'buffer' }, done)),
  'without a callback': () => once(cp.execFile('true'), 'close').then(() => 'good'),
  promisified: () => promisify(cp.execFile)('true').then(() => 'good'),
  'exit code': () => callback((done) => cp.exec('echo err >&2; exit 3', done)),
  'promisified, failing': () => promisify(cp.exec)('exit 3').catch((error) => `code ${error.code}`),
  missing: () => callback((done) => cp.execFile('no-such-program', done)),
  'missing cwd': () => callback((done) => cp.exec('true', { cwd: '/nonexistent-dir' }, done)),
  refused: () => thrown(() => cp.execFile('true', { timeout: -1 })),
  'too big': () => thrown(() => cp.execFile('true', ['x'.repeat(200_000)])),
  timeout: () => callback((done) => cp.execFile('sleep', ['20'], { timeout: 5 }, done)),
  'a timeout that is not reached': () => callback((done) => cp.execFile('true', { timeout: 600_000 }, done)),
  'aborted before': () => callback((done) => cp.execFile('sleep', ['20'], { signal: AbortSignal.abort() }, done)),
  aborted: () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    return callback((done) => cp.execFile('sleep', ['20'], { signal: controller.signal }, done));
  },
  overflow: () => callback((done) => cp.exec(`printf 0123456789${STAYS}`, { maxBuffer: 4 }, done)),
  killed: () =>
    callback((done) => {
      cp.execFile('sleep', ['20'], done).kill('SIGKILL');
    }),
  'streams touched': () =>
    callback((done) => {
      const child = cp.execFile('cat', done);
      child.stdout.on('data', () => {});
      child.stdin.end('through');
    }),
  'streams touched, overflow': () =>
    callback((done) => {
      cp.exec(`printf 0123456789${STAYS}`, { maxBuffer: 4 }, done).stderr.resume();
    }),
  'streams touched, timeout': () =>
    callback((done) => {
      cp.execFile('sleep', ['20'], { timeout: 5 }, done).stdout.resume();
    }),
  'streams touched, missing': () =>
    callback((done) => {
      cp.execFile('no-such-program', done).stdout.resume();
    }),
  spawnSync: () => syncEnding(cp.spawnSync('echo', ['hello'])),
  'spawnSync with input': () => syncEnding(cp.spawnSync('cat', { input: 'hello' })),
  'spawnSync, missing': () => syncEnding(cp.spawnSync('no-such-program')),
  'spawnSync, timeout': () => syncEnding(cp.spawnSync('sleep', ['20'], { timeout: 3 })),
  'spawnSync, overflow': () => syncEnding(cp.spawnSync('sh', ['-c', `printf 0123456789${STAYS}`], { maxBuffer: 4 })),
  'spawnSync, input nobody reads': () =>
    syncEnding(cp.spawnSync('true', { input: Buffer.alloc(1_000_000), stdio: ['pipe', 'pipe', 'ignore', 'pipe'] }), [
      'EPIPE',
      'ECONNRESET',
    ]),
  execSync: () => thrown(() => cp.execSync('exit 3', { stdio: 'pipe' })),
  ...(promises && {
    'promises.exec': () => promises.exec('echo hello').then(() => 'good'),
    'promises.execFile, failing': () => promises.execFile('false').catch((error) => `code ${error.exitCode}`),
    'promises, missing': () => promises.execFile('no-such-program').catch((error) => `code ${error.code}`),
    'promises, input': () => promises.execFile('cat', { input: 'x'.repeat(100_000) }).then(() => 'good'),
    'promises, timeout': () =>
      promises.execFile('sleep', ['20'], { timeout: 5 }).catch((error) => `timed out ${error.timedOut}`),
    'promises, aborted': () =>
      promises
        .execFile('sleep', ['20'], { signal: AbortSignal.timeout(5) })
        .catch((error) => `canceled ${error.isCanceled}`),
    'promises, overflow': () =>
      promises.exec(`printf 0123456789${STAYS}`, { maxBuffer: 4 }).catch((error) => `too long ${error.isMaxBuffer}`),
    'promises.lines, left': async () => {
      for await (const line of promises.lines('yes')) return line;
    },
    'promises.$': () => promises.$`echo ${'a b'}`.then(() => 'good'),
  }),
};

function callback(start) {
  return new Promise((resolve) => {
    start((error) => resolve(error === null ? 'good' : error.killed ? 'killed' : `code ${error.code}`));
  });
}

async function thrown(fn) {
  try {
    fn();
    return 'good';
  } catch (error) {
    return `thrown ${error.code ?? `status ${error.status}`}`;
  }
}

async function syncEnding({ status, error }, same = []) {
  if (error) return same.includes(error.code) ? 'unread' : error.code;
  return same.length > 0 ? 'unread' : `status ${status}`;
}

async function job(number) {
  const names = Object.keys(JOBS);
  const name = names[number % names.length];
  return `${name}: ${await JOBS[name]()}`;
}

async function main() {
  const result = await soak({ total: TOTAL, warmUp: WARM_UP, atOnce: AT_ONCE, job });
  console.log(JSON.stringify({ commands: TOTAL, ...result }));
  process.exitCode = result.clean ? 0 : 1;
}

main();
