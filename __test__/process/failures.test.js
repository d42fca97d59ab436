'use strict';

// Where the system has no more threads, memory or watches, or somebody else reaps our children: it works all the same,
// or it is an error. Nothing is taken for a success, nothing aborts, nothing stays behind.

const test = require('ava');
const { spawnSync } = require('node:child_process');
const { setMaxListeners } = require('node:events');
const fs = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');

const { compiled } = require('../helpers/compiled');
const { hasProcessFds } = require('../helpers/kernel');
const { valueFromNode } = require('../helpers/run-node');
const { childrenOf } = require('../helpers/settle');
const { OURS } = require('../parity/harness');

const MANY = 1_000_000;
const { EAGAIN, ECHILD, ECONNRESET, ENOBUFS, ENOMEM, ENOSPC } = constants.errno;

const library = compiled('failing', '-shared', '-fPIC', '-w', '-ldl');

// What the family does with `sh -c 'cat; exit 3'`, and how it ends.
const RUNS = `
  const ours = require(${JSON.stringify(OURS)});
  const promises = require(${JSON.stringify(path.join(path.dirname(OURS), 'promises.js'))});
  const described = (error) => error && [error.code, error.syscall];
  const runs = {
    spawn: (options) => new Promise((resolve) => {
      const events = [];
      let output = '';
      const child = ours.spawn('sh', ['-c', 'echo hi; exit 3'], options);
      child.stdout?.on('data', (data) => { output += data; });
      for (const event of ['spawn', 'exit', 'close']) child.on(event, (...how) => events.push([event, ...how]));
      child.on('error', (error) => events.push(['error', ...described(error)]));
      child.on('close', () => resolve([...events, output]));
    }),
    exec: () => new Promise((resolve) => {
      ours.exec('echo hi; exit 3', (error, stdout) => resolve([described(error), stdout]));
    }),
    long: () => new Promise((resolve) => {
      const options = { maxBuffer: Infinity };
      ours.exec('head -c 3000000 /dev/zero', options, (error, { length }) => resolve([error, length]));
    }),
    sync: () => {
      const { error, status, signal, output } = ours.spawnSync('sh', ['-c', 'cat; exit 3'], { input: 'hi' });
      return [described(error), status, signal, output?.[1]?.toString()];
    },
    promise: async () => {
      try {
        return ['resolved', (await promises.execFile('sh', ['-c', 'cat'], { input: 'hi' })).stdout];
      } catch (error) {
        return ['rejected', ...described(error.cause)];
      }
    },
  };`;

/** Gives what `run` came to where the first `count` calls of `name` fail with `errno`. */
function under([name, errno, count, run, env]) {
  const script = `${RUNS}
    (async () => {
      const result = await runs.${run};
      const fs = require('node:fs');
      const children = fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
      console.log(JSON.stringify({ result, children }));
    })()`;
  const failing = { LD_PRELOAD: library, FAIL: `${name}:${errno}:${count}` };
  return valueFromNode(['-e', script], { env: { ...env, ...failing }, timeout: 60_000 });
}

async function comesTo(t, attempt, expected) {
  const { result, children } = await under(attempt);
  t.deepEqual(result, expected);
  t.is(children, '', 'a child is left');
}

const SPAWNED = [['spawn'], ['exit', 3, null], ['close', 3, null], 'hi\n'];

// Without a process descriptor, which tells of the end, and may know how a child ended that somebody else has reaped.
const WITHOUT_FD = { CHILD_PROCESS_RS_REAPER: 'thread' };

test('no thread to be had: spawn works, with a process descriptor and without', async (t) => {
  await comesTo(t, ['pthread_create', EAGAIN, MANY, 'spawn()'], SPAWNED);
  await comesTo(t, ['pthread_create', EAGAIN, MANY, 'spawn()', WITHOUT_FD], SPAWNED);
});

test('no thread to be had: exec works, and so does a long output', async (t) => {
  await comesTo(t, ['pthread_create', EAGAIN, MANY, 'exec()'], [[3, null], 'hi\n']);
  await comesTo(t, ['pthread_create', EAGAIN, MANY, 'long()'], [null, 3_000_000]);
});

test('no thread to be had: the synchronous family works', async (t) => {
  await comesTo(t, ['pthread_create', EAGAIN, MANY, 'sync()'], [null, 3, null, 'hi']);
});

test('no thread to be had: the promises work', async (t) => {
  await comesTo(t, ['pthread_create', EAGAIN, MANY, 'promise()'], ['resolved', 'hi']);
});

test('an output that cannot be read is an error', async (t) => {
  await comesTo(t, ['recv', ECONNRESET, 1, 'exec()'], [['ECONNRESET', 'read'], '']);
  await comesTo(t, ['recv', ECONNRESET, 1, 'sync()'], [['ECONNRESET', 'spawnSync sh'], 3, null, '']);
  await comesTo(t, ['recv', ECONNRESET, 1, 'promise()'], ['rejected', 'ECONNRESET', 'read']);
});

test('an errno that Node has no name for is called as Node calls it', async (t) => {
  const ELIBBAD = 80;
  const unknown = `Unknown system error -${ELIBBAD}`;
  await comesTo(t, ['recv', ELIBBAD, 1, 'exec()'], [[unknown, 'read'], '']);
  await comesTo(t, ['recv', ELIBBAD, 1, 'sync()'], [[unknown, 'spawnSync sh'], 3, null, '']);
  await comesTo(t, ['recv', ELIBBAD, 1, 'promise()'], ['rejected', unknown, 'read']);
});

test('an ENOBUFS of the kernel is no output that is too long', async (t) => {
  await comesTo(t, ['recv', ENOBUFS, 1, 'promise()'], ['rejected', 'ENOBUFS', 'read']);
});

test('a poll that fails is told by its own errno', async (t) => {
  await comesTo(t, ['poll', ENOMEM, 1, 'sync()'], [['ENOMEM', 'spawnSync sh'], null, 'SIGKILL', '']);
});

test('no watch to be had: spawn works, exec and the promises are an error', async (t) => {
  await comesTo(t, ['epoll_ctl', ENOSPC, MANY, 'spawn()'], SPAWNED);
  await comesTo(t, ['epoll_ctl', ENOSPC, MANY, 'exec()'], [['ENOSPC', 'spawn /bin/sh'], '']);
  await comesTo(t, ['epoll_ctl', ENOSPC, MANY, 'promise()'], ['rejected', 'ENOSPC', 'spawn sh']);
});

test('a child that somebody else has reaped is not one that has succeeded', async (t) => {
  const lost = [['spawn'], ['error', 'ECHILD', 'wait sh'], ['close', -ECHILD, null], 'hi\n'];
  await comesTo(t, ['wait4', ECHILD, 1, 'spawn()', WITHOUT_FD], lost);
  await comesTo(t, ['wait4', ECHILD, 1, 'exec()', WITHOUT_FD], [['ECHILD', 'wait /bin/sh'], 'hi\n']);
  await comesTo(t, ['wait4', ECHILD, 1, 'sync()', WITHOUT_FD], [['ECHILD', 'spawnSync sh'], null, null, 'hi']);
  await comesTo(t, ['wait4', ECHILD, 1, 'promise()', WITHOUT_FD], ['rejected', 'ECHILD', 'wait sh']);
  const uid = process.getuid() === 0 ? 65534 : process.getuid();
  await comesTo(t, ['wait4', ECHILD, 1, `spawn({ uid: ${uid} })`, WITHOUT_FD], lost);
});

/** What comes of `fork(file, …args)` without a child, and whether it leaves sockets or keeps the loop alive. */
function withoutChild(env, args) {
  const script = `
    const { fork } = require(${JSON.stringify(OURS)});
    const fs = require('node:fs');
    const sockets = () => fs.readdirSync('/proc/self/fd').filter((fd) => {
      try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
    }).length;
    const before = sockets();
    let failure;
    try { fork(...${args}); } catch ({ code, syscall }) { failure = [code, syscall]; }
    const children = fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
    process.on('exit', () => console.log(JSON.stringify({ failure, children, left: sockets() - before })));`;
  return valueFromNode(['-e', script], { env, timeout: 60_000 });
}

test('a channel that cannot be opened is thrown, and there is no child', async (t) => {
  const env = { LD_PRELOAD: library, FAIL: `epoll_ctl:${ENOSPC}:${MANY}` };
  t.deepEqual(await withoutChild(env, '["file.js"]'), { failure: ['ENOSPC', 'ipc'], children: '', left: 0 });
});

test('a child that cannot be started leaves no channel', async (t) => {
  const args = '["file.js", ["x".repeat(3e6)]]';
  t.deepEqual(await withoutChild({}, args), { failure: ['E2BIG', 'spawn'], children: '', left: 0 });
});

/** What `#[napi(…)]` says of each function, and not of arguments. */
function attributesOfFunctions(source) {
  const attributes = [...source.matchAll(/^ *(#\[napi(?:\((?:(?!\)\])[^])*\))?\])(\s+)/gm)];
  return attributes.filter(([, , gap]) => gap.includes('\n')).map(([, text]) => text);
}

test('a panic of any native function is an exception', (t) => {
  const folder = path.join(path.dirname(OURS), 'src');
  const sources = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.rs'));
  const functions = sources.flatMap((name) => attributesOfFunctions(fs.readFileSync(path.join(folder, name), 'utf8')));
  t.true(functions.length > 0);
  t.deepEqual(
    functions.filter((attribute) => !/\bcatch_unwind\b/.test(attribute)),
    [],
  );
});

(hasProcessFds ? test : test.skip)('200 promises at once take a handful of threads', async (t) => {
  const { execFile } = require('../../promises');
  const threads = () => fs.readdirSync('/proc/self/task').length;
  const before = threads();
  const controller = new AbortController();
  setMaxListeners(200, controller.signal);
  const runs = Array.from({ length: 200 }, () => execFile('sleep', ['1000'], { signal: controller.signal }));
  for (const run of runs) run.catch(() => {});
  while (childrenOf(process.pid).length < runs.length) await new Promise(setImmediate);
  t.true(threads() <= before + 4, `${threads() - before} threads more`);
  controller.abort();
  const ends = await Promise.allSettled(runs);
  t.true(ends.every(({ reason }) => reason?.isCanceled));
});

test('a fault in a file of ours is thrown, and not hidden behind the builtin', (t) => {
  const script = (fault) => `
    const Module = require('node:module');
    const { spawnSync } = require(process.env.OURS);
    const load = Module._load;
    Module._load = (name, ...rest) => {
      if (name === './process/sync') throw ${fault};
      return load(name, ...rest);
    };
    try { console.log(spawnSync('true').status); } catch (error) { console.log(error.message); }`;
  const run = (fault) =>
    spawnSync(process.execPath, ['-e', script(fault)], { env: { ...process.env, OURS }, encoding: 'utf8' }).stdout;
  t.is(run(`new TypeError('a fault')`), 'a fault\n');
  t.is(run(`Object.assign(new Error('a fault'), { code: 'ERR_INVALID_ARG_TYPE' })`), 'a fault\n');
  t.is(run(`Object.assign(new Error(), { code: 'EMFILE', syscall: 'open' })`), '0\n');
});

test('the very first call, with no descriptor left, is reported by the builtin as always', async (t) => {
  const script = `
    const fs = require('node:fs');
    const told = [];
    const { exec, spawnSync } = require(process.env.OURS);
    const taken = [];
    try { for (;;) taken.push(fs.openSync('/dev/null')); } catch {}
    told.push(spawnSync('true').error.code);
    exec('true', (error) => {
      told.push(error.code);
      for (const fd of taken) fs.closeSync(fd);
      exec('echo text', (none, stdout) => console.log(JSON.stringify([...told, none, stdout])));
    }).on('error', () => {});`;
  const { stdout } = spawnSync('prlimit', ['--nofile=200:200', process.execPath, '-e', script], {
    env: { ...process.env, OURS },
    encoding: 'utf8',
  });
  t.deepEqual(JSON.parse(stdout), ['EMFILE', 'EMFILE', null, 'text\n']);
});
