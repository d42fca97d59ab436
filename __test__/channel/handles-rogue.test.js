'use strict';

// Another end that breaks the protocol of handles: a clear error or the builtin's warning, and no descriptor left.

const test = require('ava');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { OURS } = require('../parity/harness');
const { announced } = require('../helpers/rogue');
const { countAllFds, until } = require('../helpers/settle');

const ours = require(OURS);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rogue-'));
const program = path.join(folder, 'rogue');

test.before(() => execFileSync('cc', ['-O1', '-o', program, path.join(__dirname, '../fixtures/rogue.c')]));
test.after.always(() => fs.rmSync(folder, { recursive: true }));

const announce = (msg, type = 'net.Socket') => JSON.stringify({ cmd: 'NODE_HANDLE', type, msg });

/** Starts the program; `record` gets all that is heard of it. */
function start(t, ...args) {
  return listen(t, ours.spawn(program, args.map(String), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }));
}

/** The same, announced as a native end. */
function startNative(t, ...args) {
  return listen(t, announced(ours, program, args.map(String)));
}

function listen(t, child) {
  const record = { messages: [], errors: [], output: '' };
  child.on('message', (message, handle) => {
    record.messages.push([message, handle?.constructor.name]);
    handle?.destroy?.();
  });
  child.on('error', (error) => record.errors.push(error));
  child.stdout.setEncoding('utf8').on('data', (text) => {
    record.output += text;
  });
  t.teardown(() => child.kill('SIGKILL'));
  return { child, record };
}

async function end(child) {
  child.kill('SIGKILL');
  // once() would reject with an error that comes before.
  await new Promise((resolve) => child.on('close', resolve));
}

/** Connections with nobody to talk to. */
async function sockets(t, count) {
  const server = net.createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const made = [];
  for (let i = 0; i < count; i++) {
    const client = net.connect(server.address().port, '127.0.0.1');
    client.on('error', () => {});
    const [accepted] = await once(server, 'connection');
    made.push(accepted);
    t.teardown(() => {
      client.destroy();
    });
  }
  server.close();
  return made;
}

function warnings(t) {
  const names = [];
  const note = ({ name }) => names.push(name);
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  return names;
}

// The first child makes descriptors of the loop's own.
test.serial.before(async () => {
  const { child } = start({ teardown() {} }, 'text', '1');
  await once(child, 'message');
  await end(child);
});

async function noneLeft(t, before) {
  t.true(await until(() => countAllFds() <= before, 5000), `${countAllFds()} descriptors, ${before} before`);
}

test.serial('253 descriptors with a message that announces one: it gets one, the others are closed', async (t) => {
  const before = countAllFds();
  const { child, record } = start(t, 'unix', 253, announce('x'), 'wait', 'NODE_HANDLE_ACK', 'text', '"after"');
  t.true(await until(() => record.messages.length === 2));
  t.deepEqual(record.messages, [
    ['x', 'Socket'],
    ['after', undefined],
  ]);
  t.deepEqual(record.errors, []);
  await end(child);
  await noneLeft(t, before);
});

test.serial('descriptors that nobody has announced are closed', async (t) => {
  const before = countAllFds();
  const { child, record } = start(t, 'file', 253, '"x"', 'text', '"after"');
  t.true(await until(() => record.messages.length === 2));
  t.true(countAllFds() < before + 100);
  await end(child);
  await noneLeft(t, before);
});

test.serial('a handle that is announced and not sent is asked for again, and nothing is delivered', async (t) => {
  const { child, record } = start(t, 'text', announce('x'), 'wait', 'NODE_HANDLE_NACK', 'text', '"after"');
  t.true(await until(() => record.messages.length > 0));
  t.deepEqual(record.messages, [['after', undefined]]);
  await end(child);
});

for (const kind of ['file', 'pipe', 'udp']) {
  test.serial(`a ${kind} as net.Socket is an error, and closed`, async (t) => {
    const before = countAllFds();
    const { child, record } = start(t, kind, 1, announce('x'), 'text', '"after"');
    t.true(await until(() => record.messages.length > 0));
    t.deepEqual(record.messages, [['after', undefined]]);
    t.deepEqual(
      record.errors.map(({ code }) => code),
      ['ERR_CHILD_PROCESS_RS_HANDLE'],
    );
    t.regex(record.errors[0].message, /is not a net\.Socket/);
    await end(child);
    await noneLeft(t, before);
  });
}

test.serial('a handle of an unknown type is an error, and closed', async (t) => {
  const before = countAllFds();
  const { child, record } = start(
    t,
    'tcp',
    1,
    announce('x', 'net.Other'),
    'tcp',
    1,
    announce('x', 7),
    'text',
    '"after"',
  );
  t.true(await until(() => record.messages.length > 0));
  t.deepEqual(
    record.errors.map(({ code }) => code),
    ['ERR_CHILD_PROCESS_RS_HANDLE', 'ERR_CHILD_PROCESS_RS_HANDLE'],
  );
  await end(child);
  await noneLeft(t, before);
});

test.serial('a datagram socket of an unknown type is an error, and closed', async (t) => {
  const before = countAllFds();
  const announced = JSON.stringify({ cmd: 'NODE_HANDLE', type: 'dgram.Socket', dgramType: 'udp9', msg: 'x' });
  const { child, record } = start(t, 'udp', 1, announced, 'text', '"after"');
  t.true(await until(() => record.messages.length > 0));
  t.deepEqual(
    record.errors.map(({ code }) => code),
    ['ERR_SOCKET_BAD_TYPE'],
  );
  await end(child);
  await noneLeft(t, before);
});

test.serial('an acknowledgement of what was never sent is an error', async (t) => {
  const replies = ['NODE_HANDLE_ACK', 'NODE_HANDLE_NACK'].flatMap((cmd) => ['text', JSON.stringify({ cmd })]);
  const words = [{ cmd: 'HandlesTaken', count: 5 }, { cmd: 'HandleMissed' }].flatMap((word) => [
    'word',
    JSON.stringify(word),
  ]);
  for (const { child, record } of [
    start(t, ...replies, 'text', '"after"'),
    startNative(t, 'hello', ...words, 'text', '"after"'),
  ]) {
    t.true(await until(() => record.messages.length > 0));
    t.deepEqual(
      record.errors.map(({ code }) => code),
      ['ERR_CHILD_PROCESS_RS_HANDLE', 'ERR_CHILD_PROCESS_RS_HANDLE'],
    );
    await end(child);
  }
});

test.serial(
  'a handle that is refused is sent again three times; then there is a warning, and what waited goes out',
  async (t) => {
    const names = warnings(t);
    const before = countAllFds();
    const [socket] = await sockets(t, 1);
    const refusals = Array(4)
      .fill(['wait', 'net.Socket', 'text', JSON.stringify({ cmd: 'NODE_HANDLE_NACK' })])
      .flat();
    const { child, record } = start(t, ...refusals, 'wait', 'after', 'count', 'net.Socket');
    t.true(child.send('x', socket));
    child.send('after');
    t.true(await until(() => record.output !== ''));
    t.is(record.output, '4\n');
    t.deepEqual(record.errors, []);
    t.deepEqual(names, ['SentHandleNotReceivedWarning']);
    await end(child);
    await noneLeft(t, before + 1);
  },
);

test.serial('a child that never acknowledges keeps what follows back, and its end lets go of everything', async (t) => {
  const before = countAllFds();
  const made = await sockets(t, 3);
  const { child, record } = start(t, 'wait', 'net.Socket', 'say', 'one');
  const outcomes = [];
  for (const socket of made) child.send('x', socket, (error) => outcomes.push(error?.code ?? null));
  child.send('after', (error) => outcomes.push(error?.code ?? null));
  t.true(await until(() => record.output === 'one\n'));
  await sleep(50);
  t.deepEqual(outcomes, [null]);
  await end(child);
  t.true(await until(() => outcomes.length === 4));
  t.deepEqual(
    outcomes.map((code) => code !== null),
    [false, true, true, true],
  );
  await noneLeft(t, before + made.length);
});

test.serial('what comes after a missing handle waits until a native end has sent that again', async (t) => {
  const again = JSON.stringify({ cmd: 'HandleAgain', number: 0 });
  const { child, record } = startNative(
    t,
    'hello',
    'text',
    announce('first'),
    'text',
    '"second"',
    'wait',
    'HandleMissed',
    'unix',
    1,
    announce('third'),
    'word',
    again,
    'unix',
    1,
    announce('first'),
    'text',
    '"fourth"',
  );
  t.true(await until(() => record.messages.length === 4));
  t.deepEqual(record.messages, [
    ['first', 'Socket'],
    ['second', undefined],
    ['third', 'Socket'],
    ['fourth', undefined],
  ]);
  await end(child);
});

test.serial('the descriptor of the next message is not taken for one that is missing', async (t) => {
  // Longer than what is read at once, so that its end is read together with the next message.
  const long = announce('x'.repeat(100_000));
  const { child, record } = start(t, 'text', long, 'unix', 1, announce('next'), 'text', '"after"');
  t.true(await until(() => record.messages.length === 2));
  t.deepEqual(record.messages, [
    ['next', 'Socket'],
    ['after', undefined],
  ]);
  await end(child);
});

test.serial('what comes after a handle that a native end has given up arrives', async (t) => {
  const lost = JSON.stringify({ cmd: 'HandleLost', number: 0 });
  const held = ['A', 'B'].flatMap((name) => [1, 2, 3].flatMap((i) => ['text', `"${name}${i}"`]));
  const { child, record } = startNative(
    t,
    'hello',
    'text',
    announce('first'),
    'wait',
    'HandleMissed',
    ...held,
    'word',
    lost,
    'text',
    '"end"',
  );
  t.true(await until(() => record.messages.at(-1)?.[0] === 'end'));
  t.deepEqual(
    record.messages.map(([message]) => message),
    ['A1', 'A2', 'A3', 'B1', 'B2', 'B3', 'end'],
  );
  await end(child);
});

test.serial(
  'what comes after a missing handle arrives at the end of the channel, and the missing one is an error',
  async (t) => {
    const { child, record } = startNative(
      t,
      'hello',
      'text',
      announce('first'),
      'text',
      '"second"',
      'wait',
      'HandleMissed',
      'end',
    );
    t.true(await until(() => !child.connected));
    t.deepEqual(record.messages, [['second', undefined]]);
    t.deepEqual(
      record.errors.map(({ code }) => code),
      ['ERR_CHILD_PROCESS_RS_MESSAGE'],
    );
    await end(child);
  },
);

test.serial('more missing handles than can be in flight end the channel with an error', async (t) => {
  const missing = Array(200)
    .fill(['text', announce('x')])
    .flat();
  const { child, record } = startNative(t, 'hello', ...missing, 'text', '"after"');
  t.true(await until(() => !child.connected));
  t.deepEqual(record.messages, []);
  t.regex(record.errors.at(-1).message, /more is missing than can be in flight/);
  await end(child);
});

test.serial('what a peer says a handle is cannot throw, whatever it is', async (t) => {
  const before = countAllFds();
  const types = [
    '{"toString":1,"valueOf":2}',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    '5',
    'null',
    '"__proto__"',
  ];
  const texts = types.flatMap((type) => ['unix', 1, `{"cmd":"NODE_HANDLE","type":${type},"msg":"x"}`]);
  const { child, record } = start(t, ...texts, 'text', '"after"');
  t.true(await until(() => record.messages.length > 0));
  t.deepEqual(record.messages, [['after', undefined]]);
  t.deepEqual(
    record.errors.map(({ code }) => code),
    types.map(() => 'ERR_CHILD_PROCESS_RS_HANDLE'),
  );
  await end(child);
  await noneLeft(t, before);
});

test.serial('a handle that comes with an internal message that nobody hears is closed, and an error', async (t) => {
  const before = countAllFds();
  const { child, record } = start(
    t,
    'unix',
    1,
    announce({ cmd: 'NODE_X' }),
    'wait',
    'NODE_HANDLE_ACK',
    'text',
    '"after"',
  );
  t.true(await until(() => record.messages.length > 0));
  t.deepEqual(record.messages, [['after', undefined]]);
  t.deepEqual(
    record.errors.map(({ code }) => code),
    ['ERR_CHILD_PROCESS_RS_HANDLE'],
  );
  // The child's end and the process descriptor.
  t.true(await until(() => countAllFds() <= before + 3));
  await end(child);
  await noneLeft(t, before);
});

test.serial('descriptors in a message that never ends are closed but for one', async (t) => {
  const before = countAllFds();
  const { child, record } = start(t, ...Array(5).fill(['part', 200, '"']).flat(), 'say', 'sent');
  t.true(await until(() => record.output === 'sent\n'));
  await sleep(100);
  t.true(countAllFds() < before + 20);
  await end(child);
  await noneLeft(t, before);
});
