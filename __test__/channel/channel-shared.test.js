'use strict';

// Large messages between two native ends, which travel in shared memory: they arrive whole and in order with those that
// don't, leave no descriptor behind, and obey the limits that others obey.

const test = require('ava');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { hasSealedMemory } = require('../helpers/kernel');
const { until } = require('../helpers/settle');
const { countFds } = require('../parity/leftovers');
const { OURS } = require('../parity/pairings');

const ours = require(OURS);

const MB = 1 << 20;

/** Forks `source`, a function, with the given options; killed when the test is over. */
function fork(t, source, options) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'shared-'));
  const file = path.join(dir, 'program.js');
  fs.writeFileSync(file, `(${source})()`);
  const child = ours.fork(file, [], options);
  t.teardown(() => {
    child.kill('SIGKILL');
    fs.rmSync(dir, { recursive: true, force: true });
  });
  return child;
}

/** The next `count` messages. */
function messages(child, count) {
  return new Promise((resolve, reject) => {
    const all = [];
    child.on('error', reject);
    child.on('message', (message) => {
      if (all.push(message) === count) resolve(all);
    });
  });
}

function echo() {
  process.on('message', (message) => process.send(message));
  process.send('ready');
}

const items = (count) =>
  Array.from({ length: count }, (_, i) => ({ id: i, name: `item ${i}`, tags: ['a', 'é', '漢'] }));

const LARGE = {
  'an object graph': { items: items(20_000) },
  'a text of ASCII': 'x'.repeat(3 * MB),
  'a text of wide characters, lone surrogates among them': '漢\ud800é'.repeat(MB),
};

for (const serialization of ['json', 'advanced']) {
  for (const [name, value] of Object.entries(LARGE)) {
    test(`${serialization}: ${name} goes to the child and back`, async (t) => {
      const child = fork(t, echo, { serialization });
      const received = messages(child, 2);
      child.once('message', () => child.send(value));
      const [, returned] = await received;
      t.deepEqual(returned, value);
    });
  }

  test(`${serialization}: large ones keep their place among small ones`, async (t) => {
    const child = fork(t, echo, { serialization });
    const sent = ['ready'];
    for (let i = 0; i < 40; i++) sent.push(i % 3 === 0 ? { i, text: 'y'.repeat(300_000 + i) } : { i });
    const received = messages(child, sent.length);
    child.once('message', () => sent.slice(1).forEach((message) => child.send(message)));
    t.deepEqual(await received, sent);
  });

  test.serial(`${serialization}: no descriptor is left`, async (t) => {
    const child = fork(t, echo, { serialization });
    await messages(child, 1);
    // Its process descriptor is put away meanwhile.
    await sleep(500);
    const before = countFds();
    const theirs = () => fs.readdirSync(`/proc/${child.pid}/fd`).length;
    const theirsBefore = theirs();
    for (let round = 0; round < 3; round++) {
      const received = messages(child, 100);
      for (let i = 0; i < 100; i++) child.send({ text: 'z'.repeat(300_000) });
      await received;
      child.removeAllListeners('message');
    }
    t.is(countFds(), before);
    t.is(theirs(), theirsBefore);
  });

  test(`${serialization}: the sender is asked to wait until they are taken`, async (t) => {
    const child = fork(t, echo, { serialization });
    const received = messages(child, 2);
    await new Promise((resolve) => child.once('message', resolve));
    t.false(child.send({ text: 'x'.repeat(MB) }));
    await received;
  });

  test(`${serialization}: one over maxMessageSize is one error, and the end of the channel`, async (t) => {
    const child = fork(
      t,
      () => {
        process.on('disconnect', () => process.exit(7));
        // The channel may be closed before the second message.
        process.on('error', () => {});
        process.once('message', () => {
          process.send({ text: 'x'.repeat(1 << 20) });
          process.send('after it');
        });
        process.send('ready');
      },
      { serialization, maxMessageSize: 500_000 },
    );
    const errors = [];
    child.on('error', (error) => errors.push(error.code));
    const received = [];
    child.on('message', (message) => {
      received.push(message);
      child.send('go');
    });
    const [code] = await new Promise((resolve) => child.on('close', (...args) => resolve(args)));
    t.is(code, 7);
    t.deepEqual(received, ['ready']);
    t.deepEqual(errors, ['ERR_CHILD_PROCESS_RS_MESSAGE']);
  });
}

test('advanced: Buffers inside an object come as Buffers that are the receiver’s own', async (t) => {
  const child = fork(
    t,
    () => {
      process.on('message', (message) => {
        message.bytes.fill(2);
        process.send({ bytes: message.bytes, isBuffer: Buffer.isBuffer(message.bytes), map: message.map });
      });
      process.send('ready');
    },
    { serialization: 'advanced' },
  );
  const received = messages(child, 2);
  await new Promise((resolve) => child.once('message', resolve));
  const bytes = Buffer.alloc(MB, 1);
  const map = new Map([['x', 1n]]);
  child.send({ bytes, map });
  const [, answer] = await received;
  t.true(answer.isBuffer);
  t.deepEqual(answer.map, map);
  t.true(answer.bytes.equals(Buffer.alloc(MB, 2)));
  t.true(bytes.equals(Buffer.alloc(MB, 1)));
});

const sharedIn = (pid) =>
  fs
    .readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .filter((line) => line.includes('memfd:child-process-rs'));

const whereShared = hasSealedMemory ? test.serial : test.serial.skip;

whereShared('the memory is used again, and given up when it is not used any more', async (t) => {
  const child = fork(t, echo, { serialization: 'advanced' });
  await new Promise((resolve) => child.once('message', resolve));
  for (let i = 0; i < 50; i++) {
    const received = new Promise((resolve) => child.once('message', resolve));
    child.send(Buffer.alloc(MB + i * 4096, i));
    t.true((await received).equals(Buffer.alloc(MB + i * 4096, i)));
  }
  // This process may have those of tests that have just ended, too.
  t.true(sharedIn(child.pid).length <= 4, sharedIn(child.pid).join('\n'));
  for (const pid of [process.pid, child.pid]) {
    const mapped = sharedIn(pid);
    // One in each direction.
    t.true(mapped.length >= 2, `${mapped.length}`);
    // The sender writes, the receiver only reads.
    t.true(mapped.some((line) => line.includes(' rw-s ')) && mapped.some((line) => line.includes(' r--s ')));
  }
  for (const pid of [process.pid, child.pid])
    t.true(await until(() => sharedIn(pid).length === 0, 10_000), sharedIn(pid).join('\n'));
  child.send('still there');
  t.is(await new Promise((resolve) => child.once('message', resolve)), 'still there');
});

test.serial('more than there is memory for goes through the socket, in order', async (t) => {
  const child = fork(
    t,
    () => {
      process.on('message', (message) => process.send([message.length, message[0], message[message.length - 1]]));
      process.send('ready');
    },
    { serialization: 'advanced' },
  );
  await new Promise((resolve) => child.once('message', resolve));
  const received = messages(child, 8);
  for (let i = 0; i < 8; i++) child.send(Buffer.alloc(60 * MB, i));
  t.deepEqual(
    await received,
    Array.from({ length: 8 }, (_, i) => [60 * MB, i, i]),
  );
});

test('json: a large internal message is still one', async (t) => {
  const child = fork(t, () => {
    process.channel.ref();
    process.on('internalMessage', ({ cmd, text }) => process.send([cmd, text.length]));
    process.send('ready');
  });
  const received = messages(child, 2);
  await new Promise((resolve) => child.once('message', resolve));
  child.send({ cmd: 'NODE_LARGE', text: 'x'.repeat(MB) });
  t.deepEqual(await received, ['ready', ['NODE_LARGE', MB]]);
});

test('disconnect() amid unread messages still reads that a large message has been taken', async (t) => {
  const child = fork(t, function program() {
    process.once('message', () => {
      const begun = Date.now();
      // A channel whose message is not taken closes after 5 s.
      process.once('exit', () => (process.exitCode = Date.now() - begun < 4000 ? 0 : 1));
      process.disconnect();
    });
    process.send('x'.repeat(1 << 20));
    // Meanwhile more arrives than one read takes, and behind it the acknowledgement.
    const end = Date.now() + 1000;
    while (Date.now() < end);
  });
  for (let i = 0; i < 150; i++) child.send('y'.repeat(1000));
  t.is(await new Promise((resolve) => child.once('exit', resolve)), 0);
});
