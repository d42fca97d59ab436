'use strict';

// Where ours differs from the builtin on purpose. Each difference has its reason here and nowhere else is one allowed.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');

const { OURS } = require('../parity/harness');

const ours = require(OURS);

// The builtin makes every stream at once and waits for each to end, though nobody looks at them.
test('a stream nobody touched does not hold up close', async (t) => {
  const folder = fs.mkdtempSync(`${require('node:os').tmpdir()}/deliberate-`);
  const child = ours.spawn('sh', ['-c', 'sleep 600 & echo $! > pid'], { cwd: folder });
  await once(child, 'close');
  const holder = Number(fs.readFileSync(`${folder}/pid`));
  // It lives, and holds the pipes.
  t.true(process.kill(holder, 'SIGKILL'));
  fs.rmSync(folder, { recursive: true });
});

test('a stream that was touched does', async (t) => {
  const child = ours.spawn('sh', ['-c', '(sleep 0.3; echo late) & exit 0']);
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  const order = [];
  child.on('exit', () => order.push('exit'));
  await once(child, 'close');
  t.is(text, 'late\n');
  t.deepEqual(order, ['exit']);
});

// The builtin says spawn in the next tick, whatever becomes of the program; ours has seen it start.
test('the program runs when spawn is emitted', async (t) => {
  const child = ours.spawn('sleep', ['10'], { stdio: 'ignore' });
  await once(child, 'spawn');
  t.is(fs.readFileSync(`/proc/${child.pid}/comm`, 'utf8'), 'sleep\n');
  child.kill();
  await once(child, 'close');
});

// The builtin passes a -0 on to an assertion that takes the whole process down.
test('a uid of -0 is a uid of 0', async (t) => {
  const child = ours.spawn('id', ['-u'], { uid: -0, gid: -0, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  const [code] = await once(child, 'close');
  t.deepEqual([code, text], [0, '0\n']);
});

// So does a descriptor that is no 32-bit integer, from Node 22 on.
test('a descriptor that is no 32-bit integer is refused', (t) => {
  for (const fd of [1.5, NaN, Infinity, 2 ** 31, 2 ** 40]) {
    for (const entry of [fd, { fd }]) {
      for (const run of [ours.spawn, ours.spawnSync]) {
        t.throws(() => run('true', { stdio: ['ignore', 'ignore', entry] }), { code: 'ERR_INVALID_ARG_VALUE' }, `${fd}`);
      }
    }
  }
});

// The builtin throws a TypeError of its own once the child runs, or aborts the process.
test('a server is nothing that a child can read or write', async (t) => {
  const server = net.createServer().listen(0);
  await once(server, 'listening');
  for (const run of [ours.spawn, ours.spawnSync]) {
    t.throws(() => run('true', { stdio: ['ignore', server, 'ignore'] }), { code: 'ERR_INVALID_ARG_VALUE' });
  }
  server.close();
});

// The builtin fills the caller's stdio array up and writes NODE_V8_COVERAGE into the caller's env, or throws if it
// can't.
test('what the caller passed is not written to, and may be frozen', async (t) => {
  const options = Object.freeze({ env: Object.freeze({ A: '1' }), stdio: Object.freeze(['ignore']) });
  process.env.NODE_V8_COVERAGE = '/tmp/nonexistent-coverage';
  const child = ours.spawn('true', options);
  delete process.env.NODE_V8_COVERAGE;
  await once(child, 'close');
  t.deepEqual(options, { env: { A: '1' }, stdio: ['ignore'] });
});

// The builtin leaves holes out, so that what follows moves to another descriptor.
test('a hole in stdio is a pipe like any other entry that is not given', async (t) => {
  const child = ours.spawn('true', { stdio: ['ignore', , 'ignore'] });
  t.deepEqual(
    child.stdio.map((stream) => stream === null),
    [true, false, true],
  );
  await once(child, 'close');
});

// The builtin's comparison throws an error of its own there, without a code.
test('a uid that is a bigint, a symbol, or has no prototype, is of the wrong type', (t) => {
  for (const uid of [10n, Symbol('s'), Object.create(null)]) {
    t.throws(() => ours.spawn('true', { uid }), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});

// The builtin lists process.env by name, and so finds what is on the prototype of all objects.
test('a polluted Object.prototype adds no variable to the environment that is inherited', async (t) => {
  Object.prototype.POLLUTED = 'yes';
  const child = ours.spawn('env');
  delete Object.prototype.POLLUTED;
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  await once(child, 'close');
  t.false(text.includes('POLLUTED'));
});

// With the builtin it is an uncaught exception.
test('an output that is longer than a string can be is an error of the callback', async (t) => {
  const options = { encoding: 'hex', maxBuffer: Infinity };
  const [error, stdout, stderr] = await new Promise((resolve) => {
    ours.exec('head -c 270000000 /dev/zero', options, (...given) => resolve(given));
  });
  t.is(error.code, 'ERR_STRING_TOO_LONG');
  t.is(error.cmd, 'head -c 270000000 /dev/zero');
  t.deepEqual([stdout, stderr], ['', '']);
});

// The builtin waits for the exec and throws.
test('a failure that only the exec can find is an error event', async (t) => {
  const folder = fs.mkdtempSync(`${require('node:os').tmpdir()}/deliberate-`);
  const file = `${folder}/busy`;
  fs.copyFileSync('/bin/true', file);
  const fd = fs.openSync(file, 'r+');
  const child = ours.spawn(file);
  const [error] = await once(child, 'error');
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
  t.like(error, { code: 'ETXTBSY', syscall: `spawn ${file}`, path: file, spawnargs: [] });
  t.is(child.pid, undefined);
});
