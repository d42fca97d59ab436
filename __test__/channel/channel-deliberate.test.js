'use strict';

// Where our channel differs from the builtin's on purpose. Each difference has its reason here and a line in
// docs/differences.md.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');

const { countFds } = require('../parity/leftovers');
const { OURS } = require('../parity/pairings');
const { valueFromNode } = require('../helpers/run-node');
const { until } = require('../helpers/settle');

const ours = require(OURS);

const BROKEN = 'ERR_CHILD_PROCESS_RS_MESSAGE';
const MB = 1 << 20;

const IPC = ['ignore', 'ignore', 'ignore', 'ipc'];
const frame = (bytes) =>
  Buffer.concat([Buffer.from([bytes.length >>> 24, bytes.length >>> 16, bytes.length >>> 8, bytes.length]), bytes]);
const hex = (text) => Buffer.from(text, 'hex');

test.beforeEach((t) => {
  t.context.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'channel-'));
});

test.afterEach.always((t) => {
  fs.rmSync(t.context.dir, { recursive: true, force: true });
});

/** A program that writes `bytes` to its channel as they are; `then` is run by the shell afterwards. */
function writer(t, bytes, { then = '', ...options } = {}) {
  const file = path.join(t.context.dir, 'bytes');
  fs.writeFileSync(file, bytes);
  return ours.spawn('bash', ['-c', `cat "$0" >&3; ${then}`, file], { stdio: IPC, ...options });
}

function program(t, source) {
  const file = path.join(t.context.dir, 'program.js');
  fs.writeFileSync(file, `(${source})()`);
  return file;
}

/** What a child sent, which errors it had, and how it ended. */
async function gather(child) {
  const messages = [];
  const errors = [];
  child.on('message', (message) => messages.push(message));
  child.on('error', (error) => errors.push(error.code));
  const [code, signal] = await new Promise((resolve) => child.on('close', (...args) => resolve(args)));
  return { messages, errors, code, signal };
}

// The builtin throws each of these, as an uncaught exception, where nobody can catch it, and forgets what came with it.
const BROKEN_LINES = {
  'no JSON': 'garbage',
  'an empty line': '',
  'bytes that are no UTF-8': hex('ff'),
  'a byte order mark': '\ufeff1',
  'a control character in a string': '"a\tb"',
  'a NUL': '\0',
  'two values': '1 2',
  'an object that is not closed': '{"a":1',
  'the word undefined': 'undefined',
  'an internal message that is not closed': '{"cmd":"NODE_HANDLE"',
};

for (const [name, line] of Object.entries(BROKEN_LINES)) {
  test(`a line that is no message is an error on the child, and the channel goes on: ${name}`, async (t) => {
    const bytes = Buffer.concat([Buffer.from('"before"\n'), Buffer.from(line), Buffer.from('\n"after"\n')]);
    t.deepEqual(await gather(writer(t, bytes)), {
      messages: ['before', 'after'],
      errors: [BROKEN],
      code: 0,
      signal: null,
    });
  });
}

const BROKEN_FRAMES = {
  'nothing in it': hex(''),
  'a version from the future': hex('ff7f22'),
  'no header': hex('2203616263'),
  'an unknown tag': hex('ff0f07'),
  'a string that is longer than the frame': hex('ff0f22ff01'),
  'a view of too many bytes': hex('ff0f5c000aff01'),
  'a view of an unknown kind': hex('ff0f5c006301ff'),
};

for (const [name, bytes] of Object.entries(BROKEN_FRAMES)) {
  test(`a frame that is no message is an error on the child, and the channel goes on: ${name}`, async (t) => {
    const all = Buffer.concat([frame(v8.serialize('before')), frame(bytes), frame(v8.serialize('after'))]);
    t.deepEqual(await gather(writer(t, all, { serialization: 'advanced' })), {
      messages: ['before', 'after'],
      errors: [BROKEN],
      code: 0,
      signal: null,
    });
  });
}

// The builtin says nothing of what it has half.
for (const [name, bytes, serialization] of [
  ['half a line', '"before"\n{"a":', 'json'],
  ['half a frame', Buffer.concat([frame(v8.serialize('before')), hex('00000010ff0f')]), 'advanced'],
  ['half a length', Buffer.concat([frame(v8.serialize('before')), hex('0000')]), 'advanced'],
]) {
  test(`the end in the middle of a message is an error: ${name}`, async (t) => {
    t.deepEqual(await gather(writer(t, bytes, { serialization })), {
      messages: ['before'],
      errors: [BROKEN],
      code: 0,
      signal: null,
    });
  });
}

test('broken messages that nobody listens for are a warning, and the process lives', async (t) => {
  const seen = await valueFromNode([
    '-e',
    `
    const ours = require(${JSON.stringify(OURS)})
    const warnings = []
    process.on('warning', ({ code }) => warnings.push(code))
    const child = ours.spawn('bash', ['-c', 'echo garbage >&3'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    child.on('close', (code) => setImmediate(() => console.log(JSON.stringify({ code, warnings }))))`,
  ]);
  t.deepEqual(seen, { code: 0, warnings: [BROKEN] });
});

test.serial(
  'a message beyond maxMessageSize is one error, takes no memory, and is the end of the channel',
  async (t) => {
    const before = process.memoryUsage().rss;
    const child = ours.spawn('bash', ['-c', 'printf "1\n" >&3; head -c 100000000 /dev/zero | tr "\\0" x >&3'], {
      stdio: IPC,
      maxMessageSize: 1000,
    });
    const { messages, errors } = await gather(child);
    t.deepEqual({ messages, errors }, { messages: [1], errors: [BROKEN] });
    t.true(process.memoryUsage().rss - before < 64 * MB);
  },
);

// The builtin's child ends with a SyntaxError.
test('what toJSON makes nothing of is an error at the other end, which lives', async (t) => {
  const child = ours.fork(
    program(t, () => {
      process.on('error', (error) => process.send(error.code));
      process.on('message', () => process.disconnect());
    }),
  );
  child.send({ toJSON() {} });
  child.send('end');
  t.deepEqual(await gather(child), { messages: [BROKEN], errors: [], code: 0, signal: null });
});

// The builtin keeps each of them open. By itself, since other tests open descriptors, too.
test.serial('descriptors that come uninvited are closed', async (t) => {
  const child = ours.fork(
    program(t, () => {
      const net = require('node:net');
      const { WriteWrap } = process.binding('stream_wrap');
      const channel =
        process[Object.getOwnPropertySymbols(process).find((symbol) => symbol.description === 'kChannelHandle')];
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        for (let i = 0; i < 50; i++) channel.writeUtf8String(new WriteWrap(), `${i}\n`, server._handle);
        process.once('message', () => process.exit());
      });
    }),
    { nativeChannel: false, execArgv: ['--no-warnings', '--no-deprecation'], stdio: IPC },
  );
  const before = countFds();
  const messages = [];
  child.on('message', (message) => messages.push(message));
  while (messages.length < 50) await once(child, 'message');
  t.true(await until(() => countFds() <= before), `${countFds()} descriptors, ${before} before`);
  child.send('done');
  await once(child, 'close');
  t.deepEqual(
    messages,
    Array.from({ length: 50 }, (_, i) => i),
  );
});

// With the builtin what was not written at once is lost.
test('disconnect() waits until what was sent is written, in both directions', async (t) => {
  const file = program(t, () => {
    const got = [];
    process.on('message', (message) => got.push(message.length));
    process.on('disconnect', () => require('node:fs').writeFileSync(process.argv[2], JSON.stringify(got)));
  });
  const target = path.join(t.context.dir, 'got');
  const child = ours.fork(file, [target]);
  for (let i = 0; i < 5; i++) child.send('x'.repeat(MB));
  child.disconnect();
  await once(child, 'exit');
  t.is(fs.readFileSync(target, 'utf8'), JSON.stringify(Array(5).fill(MB)));

  const other = ours.fork(
    program(t, () => {
      for (let i = 0; i < 5; i++) process.send('x'.repeat(1 << 20));
      process.disconnect();
    }),
  );
  const { messages } = await gather(other);
  t.deepEqual(
    messages.map((message) => message.length),
    Array(5).fill(MB),
  );
});

for (const [how, end] of Object.entries({
  'process.exit()': () => process.exit(3),
  'process.exit(), though an exit listener sends more,': () => {
    process.on('exit', () => process.send('last'));
    process.exit(3);
  },
  'an uncaught exception': () => {
    throw new RangeError('the end');
  },
})) {
  test(`${how} waits until what was sent is written`, async (t) => {
    const child = ours.fork(
      program(t, `() => { for (let i = 0; i < 5; i++) process.send('x'.repeat(1 << 20)); (${end})() }`),
      { stdio: IPC },
    );
    const { messages, code } = await gather(child);
    t.deepEqual(
      messages.filter((message) => message !== 'last').map((message) => message.length),
      Array(5).fill(MB),
    );
    t.is(code, how.startsWith('process.exit()') ? 3 : 1);
  });
}

// The builtin writes each message by itself; ours writes those of one tick together at its end, but for the first. A
// process that blocks, or is killed, before its end may keep the others.
test('the first eight messages of a tick are written at once, the others at its end', async (t) => {
  const words = 'abcdefghijkl'.split('');
  const killed = ours.fork(
    program(t, () => {
      for (const message of 'abcdefghijkl') process.send(message);
      process.kill(process.pid, 'SIGKILL');
      for (;;);
    }),
  );
  const { messages, ...ending } = await gather(killed);
  t.deepEqual(messages.slice(0, 8), words.slice(0, 8));
  t.deepEqual(ending, { errors: [], code: null, signal: 'SIGKILL' });
});

test('64 kB are written before the tick is over', async (t) => {
  const child = ours.fork(
    program(t, () => {
      for (let i = 0; i < 20; i++) process.send('x'.repeat(10_000));
      process.kill(process.pid, 'SIGKILL');
      for (;;);
    }),
  );
  const { messages } = await gather(child);
  t.true(messages.length > 6, `${messages.length} of them`);
});

// The builtin calls them as if it had been written.
test('callbacks of what was never written get an error', async (t) => {
  const child = ours.spawn('sleep', ['20'], { stdio: IPC });
  const called = [];
  for (const length of [10, 4 * MB, 20])
    child.send('x'.repeat(length), (error) => called.push([length, error && error.code]));
  await once(child, 'spawn');
  child.kill();
  await once(child, 'close');
  await until(() => called.length >= 3);
  t.is(called.length, 3);
  t.deepEqual(
    called.map(([length]) => length),
    [10, 4 * MB, 20],
  );
  t.is(called[0][1], null);
  for (const [, code] of called.slice(1)) t.regex(String(code), /^(EPIPE|ERR_IPC_CHANNEL_CLOSED)$/);
});

// The builtin hands out all that came in one read before any promise runs: from the third on they are lost.
test('awaiting one message after the other misses none', async (t) => {
  const child = writer(t, Array.from({ length: 100 }, (_, i) => `${i}\n`).join(''), { then: 'exec sleep 20' });
  const got = [];
  for (let i = 0; i < 100; i++) got.push((await once(child, 'message'))[0]);
  t.deepEqual(
    got,
    Array.from({ length: 100 }, (_, i) => i),
  );
  child.kill();
  await once(child, 'close');
});

test('promises and ticks of one message run before the next', async (t) => {
  const child = writer(t, '"a"\n"b"\n', { then: 'exec sleep 20' });
  const order = [];
  child.on('message', (message) => {
    order.push(message);
    process.nextTick(() => order.push(`tick of ${message}`));
    Promise.resolve().then(() => order.push(`promise of ${message}`));
    if (message === 'b') setImmediate(() => child.kill());
  });
  await once(child, 'close');
  t.deepEqual(order, ['a', 'tick of a', 'promise of a', 'b', 'tick of b', 'promise of b']);
});

// The builtin forgets them when the channel closes.
test('messages that nobody has listened to wait, though the child has gone', async (t) => {
  const child = writer(t, '"a"\n"b"\n');
  await once(child, 'close');
  const got = [];
  child.on('message', (message) => got.push(message));
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(got, ['a', 'b']);
});

// The builtin throws a TypeError of its own there, as an uncaught exception.
test('disconnect() in the only message listener, with more messages there, is no fault', async (t) => {
  const child = writer(t, '"a"\n"b"\n"c"\n', { then: 'read -u 3; exit 0' });
  child.once('message', () => child.disconnect());
  await once(child, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.false(child.connected);
});

// The builtin's child takes the first of two variables of the same name for its channel, and ends.
test('a NODE_CHANNEL_FD in options.env does not lead the child astray', async (t) => {
  const child = ours.fork(
    program(t, () => process.send(process.env.NODE_CHANNEL_FD ?? null)),
    { env: { ...process.env, NODE_CHANNEL_FD: '77' } },
  );
  const { messages, code } = await gather(child);
  t.is(code, 0);
  t.is(messages.length, 1);
});

// Which end a child has shows in what the builtin's leaves on `process`.
const ENDS = () =>
  process.send(
    Object.getOwnPropertySymbols(process).some((symbol) => symbol.description === 'kChannelHandle')
      ? 'builtin'
      : 'native',
  );

test('children that are Node get the native end, unless an option or the environment turns it off', async (t) => {
  const file = program(t, ENDS);
  const end = async (options) => (await gather(ours.fork(file, options))).messages;
  t.deepEqual(await end({}), ['native']);
  t.deepEqual(await end({ serialization: 'advanced' }), ['native']);
  t.deepEqual(await end({ nativeChannel: false }), ['builtin']);
  t.deepEqual(await end({ env: { ...process.env, CHILD_PROCESS_RS_CHANNEL: 'builtin' } }), ['builtin']);
  t.deepEqual(await end({ env: { ...process.env, CHILD_PROCESS_RS_CHANNEL: '' } }), ['native']);
  t.deepEqual(await end({ execArgv: ['--no-addons'] }), ['builtin']);
  const seen = await valueFromNode(
    [
      '-e',
      `
    const child = require(${JSON.stringify(OURS)}).fork(${JSON.stringify(file)}, { execArgv: [] })
    child.on('message', (message) => console.log(JSON.stringify(message)))`,
    ],
    { env: { CHILD_PROCESS_RS_CHANNEL: 'builtin' } },
  );
  t.is(seen, 'builtin');
});
