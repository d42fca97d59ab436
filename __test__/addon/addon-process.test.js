'use strict';

// The addon is whole by itself: the `.node` file alone, without any file of `lib/`, starts processes and says how they
// ended.

const test = require('ava');
const { getEventListeners, once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { valueFromNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const ROOT = path.dirname(OURS);
const BINARY = path.join(
  ROOT,
  fs.readdirSync(ROOT).find((name) => name.endsWith('.node')),
);
const native = require(BINARY);

/** What comes out of a pipe of a process, to its end. */
async function textFrom(process, index) {
  let text = '';
  for await (const chunk of new net.Socket({ fd: process.takePipe(index) })) text += chunk;
  return text;
}

function ending() {
  const events = {};
  events.ended = new Promise((resolve) => {
    events.onexit = (...how) => resolve(how);
  });
  return events;
}

test('it spawns with pipes, which can be read and written', async (t) => {
  const events = ending();
  const child = native.spawn(
    'sh',
    ['-c', 'cat; echo "$A" >&2; exit 3'],
    { env: { A: 'from env', PATH: process.env.PATH } },
    events,
  );
  t.true(child.pid > 0);
  t.true(child.hasRef());
  t.deepEqual([child.spawnfile, child.spawnargs], ['sh', ['sh', '-c', 'cat; echo "$A" >&2; exit 3']]);
  t.is(child.pipes, 'ppp');
  const outputs = Promise.all([textFrom(child, 1), textFrom(child, 2)]);
  new net.Socket({ fd: child.takePipe(0), writable: true }).end('input');
  t.deepEqual(await events.ended, [3, null, null]);
  t.deepEqual(await outputs, ['input', 'from env\n']);
});

test('a signal ends what it has spawned', async (t) => {
  const events = ending();
  const child = native.spawn('sleep', ['1000'], { stdio: 'ignore' }, events);
  t.is(child.kill(os.constants.signals.SIGTERM), 0);
  t.deepEqual(await events.ended, [0, 'SIGTERM', null]);
  t.is(child.kill(0), -os.constants.errno.ESRCH);
  t.false(child.hasRef());
});

test('a program that is not there is an errno', (t) => {
  const child = native.spawn('no-such-program');
  t.deepEqual([child.pid, child.errno], [undefined, -os.constants.errno.ENOENT]);
});

test('a time that is not reached keeps nothing alive', async (t) => {
  const script = `
    require(${JSON.stringify(BINARY)}).spawn('true', { stdio: 'ignore', timeout: 1e6 });
    process.on('exit', () => console.log('1'));`;
  t.is(await valueFromNode(['-e', script], { timeout: 60_000 }), 1);
});

test('a time ends what it has spawned, and so does an AbortSignal', async (t) => {
  for (const options of [{ timeout: 50 }, { signal: AbortSignal.timeout(50) }, { signal: AbortSignal.abort() }]) {
    const events = ending();
    native.spawn('sleep', ['1000'], { stdio: 'ignore', ...options }, events);
    t.deepEqual(await events.ended, [0, 'SIGTERM', null]);
  }
});

/** What `verb` calls back with: nothing of `lib/` has a hand in it. */
const called = (verb, ...call) => new Promise((resolve) => native[verb](...call, (...outcome) => resolve(outcome)));

test('it execs a command, and calls back with its outputs', async (t) => {
  t.deepEqual(await called('exec', 'echo out ä; echo err >&2'), [null, 'out ä\n', 'err\n']);
  t.deepEqual(await called('execFile', 'echo', ['a', 'b']), [null, 'a b\n', '']);
  t.deepEqual(await called('execFile', 'true'), [null, '', '']);
  const long = 3_000_000;
  const [none, stdout] = await called('exec', `head -c ${long} /dev/zero`, { maxBuffer: Infinity });
  t.deepEqual([none, stdout.length], [null, long]);
  t.true(native.execFile('true').pid > 0);
});

test('in every encoding', async (t) => {
  const bytes = Buffer.from('ä€😀\xff\0z');
  for (const encoding of ['utf8', 'UTF-16LE', 'latin1', 'ascii', 'hex', 'base64', 'base64url']) {
    const [error, stdout] = await called('exec', `printf ${bytes.toString('hex')} | xxd -r -p`, { encoding });
    t.deepEqual([error, stdout], [null, bytes.toString(encoding)], encoding);
  }
  for (const encoding of ['buffer', null, 'no such encoding']) {
    t.deepEqual(await called('execFile', 'echo', ['ä'], { encoding }), [null, Buffer.from('ä\n'), Buffer.alloc(0)]);
  }
});

test('a command that fails is an error with everything', async (t) => {
  const command = 'echo out; echo err >&2; exit 3';
  const [error, ...outputs] = await called('exec', command);
  t.is(error.message, `Command failed: ${command}\nerr\n`);
  t.deepEqual({ ...error }, { code: 3, killed: false, signal: null, cmd: command });
  t.deepEqual(outputs, ['out\n', 'err\n']);
  const [killed] = await called('execFile', 'sh', ['-c', 'kill -KILL $$']);
  t.deepEqual({ ...killed }, { code: null, killed: false, signal: 'SIGKILL', cmd: 'sh -c kill -KILL $$' });
  const { errno } = os.constants;
  const [none, ...nothing] = await called('execFile', 'no-such-program', ['a']);
  const syscall = 'spawn no-such-program';
  const own = {
    errno: -errno.ENOENT,
    code: 'ENOENT',
    syscall,
    path: 'no-such-program',
    spawnargs: ['a'],
    cmd: 'no-such-program a',
  };
  t.deepEqual([none.message, { ...none }, nothing], [`${syscall} ENOENT`, own, ['', '']]);
});

test('a time that is over kills it, and cuts off its outputs', async (t) => {
  const options = { timeout: 1000, killSignal: 'SIGINT' };
  const [error, stdout] = await called('exec', "printf 'a\\303'; exec sleep 1000", options);
  t.deepEqual([error.code, error.killed, error.signal, stdout], [null, true, 'SIGINT', 'a']);
  // A grandchild has the outputs.
  t.deepEqual(await called('exec', 'sleep 1000 & echo x; exit 0', { timeout: 1000 }), [null, 'x\n', '']);
});

test('too much output kills it', async (t) => {
  const { code } = t.throws(() => native.execFile('true', { maxBuffer: -1 }));
  t.is(code, 'ERR_OUT_OF_RANGE');
  for (const [maxBuffer, kept] of [
    [4, '0123'],
    [2.5, '01'],
    [0, ''],
    [null, ''],
  ]) {
    const [error, stdout] = await called('exec', 'printf 0123456789; exec sleep 1000', { maxBuffer });
    t.deepEqual(
      [error.code, error.message, error.cmd === undefined, stdout],
      ['ERR_CHILD_PROCESS_STDIO_MAXBUFFER', 'stdout maxBuffer length exceeded', false, kept],
    );
  }
  for (const maxBuffer of [10, Infinity, undefined]) {
    t.deepEqual(await called('exec', 'printf 0123456789', { maxBuffer }), [null, '0123456789', '']);
  }
  const [error, stdout] = await called('exec', 'printf ääää >&2; exec sleep 1000', {
    maxBuffer: 3,
    encoding: 'buffer',
  });
  t.deepEqual([error.message, stdout], ['stderr maxBuffer length exceeded', Buffer.alloc(0)]);
});

test('an AbortSignal ends it at once', async (t) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  for (const signal of [AbortSignal.abort(), controller.signal]) {
    const [error, ...outputs] = await called('exec', 'exec sleep 1000', { signal });
    t.deepEqual(
      [error.code, error.message, error.cmd, outputs],
      ['ABORT_ERR', 'The operation was aborted', 'exec sleep 1000', ['', '']],
    );
  }
  t.is(getEventListeners(controller.signal, 'abort').length, 0);
});

test('it forks a script, and without a runtime leaves the channel to the caller', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'addon-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const script = path.join(folder, 'child.js');
  fs.writeFileSync(script, 'process.send({ argv: process.argv.slice(2) }, () => process.disconnect())');
  const events = ending();
  const child = native.fork(script, ['a', 'b'], { silent: true }, events);
  t.is(child.channel, undefined);
  t.deepEqual(JSON.parse(await textFrom(child, 3)), { argv: ['a', 'b'] });
  t.deepEqual(await events.ended, [0, null, null]);
});

test('the synchronous family', (t) => {
  const result = native.spawnSync('sh', ['-c', 'cat; exit 3'], { input: 'input', encoding: 'utf8' });
  t.deepEqual([result.status, result.stdout], [3, 'input']);
  t.is(native.execFileSync('echo', ['a', 'b'], { encoding: 'utf8' }), 'a b\n');
  const error = t.throws(() => native.execSync('echo bad >&2; exit 4', { stdio: 'pipe' }));
  t.deepEqual([error.message, error.status], ['Command failed: echo bad >&2; exit 4\nbad\n', 4]);
  t.is(native.spawnSync('sleep', ['1000'], { timeout: 10 }).error.code, 'ETIMEDOUT');
});

test('outputs captured of a command with any stdio', async (t) => {
  const run = (options) =>
    new Promise((resolve) => {
      const args = ['-c', 'readlink /proc/self/fd/0; echo error >&2'];
      native.capture('sh', args, options, (...how) => resolve(how), {});
    });
  t.deepEqual(await run({ stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' }), [null, '/dev/null\n', 'error\n']);
  t.deepEqual(await run({ stdio: ['ignore', 'pipe', 'ignore'] }), [null, '/dev/null\n', '']);
  const [error] = await run({ stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 3 });
  t.is(error.code, 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER');
});

test('what is wrong with arguments is an error with the code of Node', (t) => {
  t.is(t.throws(() => native.spawn('')).code, 'ERR_INVALID_ARG_VALUE');
  t.is(t.throws(() => native.spawn('true', [], { cwd: 1 })).code, 'ERR_INVALID_ARG_TYPE');
  t.is(t.throws(() => native.spawnSync('true', [], { timeout: -1 })).code, 'ERR_OUT_OF_RANGE');
});

test("in a Worker a child has the Worker's own environment", async (t) => {
  const program = `
    const { parentPort } = require('node:worker_threads');
    process.env.OF_THE_WORKER = 'yes';
    const { stdout } = require(${JSON.stringify(BINARY)}).spawnSync('sh', ['-c', 'echo $OF_THE_WORKER']);
    parentPort.postMessage(stdout.toString());`;
  const [text] = await once(new Worker(program, { eval: true }), 'message');
  t.is(text, 'yes\n');
});
