'use strict';

// What a channel withstands: ends that send too much, or what they may not, and ends that go away. What is no message at all:
// channel-deliberate.test.js.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { OURS } = require('./parity/harness');
const { spawnRogue } = require('./helpers/rogue');

const ours = require(OURS);

const MB = 1 << 20;

/** Everything that comes until the child has closed: messages as they are, errors by their codes. */
async function heard(child) {
  const events = [];
  child.on('message', (message) => events.push(message));
  child.on('error', (error) => events.push(error.code));
  // once() would reject with the first error.
  await new Promise((resolve) => child.on('close', resolve));
  return events;
}

function script(t, source) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'channel-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'child.js');
  fs.writeFileSync(file, source);
  return file;
}

const BROKEN = 'ERR_CHILD_PROCESS_RS_MESSAGE';

test('a text nested 100,000 deep is a message or an error, and the next one arrives', async (t) => {
  const child = spawnRogue(ours, 'write("[".repeat(1e5) + "]".repeat(1e5) + "\\n2\\n")');
  const events = await heard(child);
  t.is(events.length, 2);
  t.is(events[1], 2);
  t.true(events[0] === BROKEN || Array.isArray(events[0]));
});

test('a message of exactly maxMessageSize arrives', async (t) => {
  const child = spawnRogue(ours, 'write(JSON.stringify("x".repeat(1000)) + "\\n" + JSON.stringify("x".repeat(1001)) + "\\n")', { maxMessageSize: 1002 });
  t.deepEqual(await heard(child), ['x'.repeat(1000), BROKEN]);
});

test.serial('a length that nothing follows, in advanced mode, allocates nothing', async (t) => {
  const before = process.memoryUsage().rss;
  const child = spawnRogue(ours, 'write([0xff, 0xff, 0xff, 0xf0, 0xff])', { serialization: 'advanced' });
  t.deepEqual(await heard(child), [BROKEN]);
  t.true(process.memoryUsage().rss - before < 64 * MB);
});

const SHARED = { slot: 0, bytes: 4096 };
const HUGE = 2 ** 53;

for (const [name, notes] of Object.entries({
  'without a descriptor': [{ ...SHARED, size: 4096 }],
  'of a slot that there is not': [SHARED, { ...SHARED, slot: 63 }, { ...SHARED, slot: 2 ** 32 - 1 }],
  'of more than there can be': [{ slot: 0, bytes: 1, size: HUGE }, { slot: 64, bytes: 1, size: 4096 }],
})) {
  test(`notes of shared memory ${name}, or from an end that is not native, are errors`, async (t) => {
    const frame = 'const frame = (b) => write(Buffer.concat([Buffer.from([0, 0, 0, b.length]), b])); const v8 = require("v8");';
    const words = [{ cmd: 'NODE_CHILD_PROCESS_RS', version: 3 }, { cmd: 'NODE_CHILD_PROCESS_RS_FORGET', slot: 0 }];
    const expected = [BROKEN, ...notes.map(() => BROKEN), 'end'];

    const asFrame = ({ slot, bytes, size }) => {
      const note = Buffer.alloc(size === undefined ? 14 : 22);
      note.writeUInt8(1);
      note.writeUInt32LE(slot, 2);
      note.writeBigUInt64LE(BigInt(bytes), 6);
      if (size !== undefined) note.writeBigUInt64LE(BigInt(size), 14);
      return `frame(Buffer.from("${note.toString('hex')}", "hex"));`;
    };
    const tell = (value) => `frame(v8.serialize(${JSON.stringify(value)}));`;
    const frames = [asFrame(notes[0]), ...words.map(tell), ...notes.map(asFrame), tell('end')];
    const advanced = spawnRogue(ours, frame + frames.join(''), { serialization: 'advanced' });
    t.deepEqual(await heard(advanced), expected);

    const asLine = (note) => ({ cmd: 'NODE_CHILD_PROCESS_RS_SHARED', ...note });
    const lines = [asLine(notes[0]), ...words, ...notes.map(asLine), 'end'].map((value) => `${JSON.stringify(value)}\n`).join('');
    t.deepEqual(await heard(spawnRogue(ours, `write(${JSON.stringify(lines)})`)), expected);
  });
}

test('an end of an older version is taken for the builtin', async (t) => {
  const child = spawnRogue(ours, `
    write('{"cmd":"NODE_CHILD_PROCESS_RS","version":2}\\n"ready"\\n');
    const bytes = Buffer.alloc(100);
    write(JSON.stringify(bytes.toString("latin1", 0, fs.readSync(3, bytes))) + "\\n");
  `);
  child.once('message', () => child.send({ a: 1 }));
  t.deepEqual(await heard(child), ['ready', '{"a":1}\n']);
});

test('all that the parent sent before its exit arrives', async (t) => {
  const parent = ours.fork(script(t, `
    const child = require(${JSON.stringify(OURS)}).fork(process.argv[1].replace('child.js', 'grandchild.js'), { stdio: ['ignore', 1, 2, 'ipc'] })
    child.on('message', () => {
      for (let i = 0; i < 3000; i++) child.send({ i, text: 'x'.repeat(1000) })
      process.exit(0)
    })
  `), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  fs.writeFileSync(parent.spawnargs.at(-1).replace('child.js', 'grandchild.js'), `
    let next = 0
    process.on('message', ({ i }) => { if (i === next) next++ })
    process.on('disconnect', () => console.log(next))
    process.send('ready')
  `);
  let out = '';
  parent.stdout.on('data', (data) => { out += data; });
  await once(parent, 'close');
  t.is(out, '3000\n');
});

test('large Buffers and ArrayBuffers arrive whole, and either side may change its own', async (t) => {
  const child = ours.fork(script(t, 'process.on("message", (m) => { const copy = m instanceof ArrayBuffer ? m.slice(0) : Buffer.from(m); new Uint8Array(m.buffer ?? m, m.byteOffset ?? 0)[0] = 9; process.send(copy) })'), { serialization: 'advanced' });
  t.teardown(() => child.kill());
  const bytes = Buffer.from(Array.from({ length: 3 * MB }, (_, i) => i % 251));
  for (const message of [bytes, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 3 * MB), bytes.subarray(0, 262_144), bytes.subarray(1, 262_144)]) {
    child.send(message);
    const [echoed] = await once(child, 'message');
    t.is(echoed.constructor, message.constructor);
    t.true(Buffer.from(echoed).equals(Buffer.from(message)));
    t.is(new Uint8Array(message)[0], message instanceof ArrayBuffer ? 0 : bytes[message.byteOffset - bytes.byteOffset]);
  }
  child.disconnect();
  await once(child, 'exit');
});

test('callbacks of send come in order, and with an error once nobody reads', async (t) => {
  const child = ours.fork(script(t, 'setTimeout(() => process.exit(), 50); process.on("message", () => {}); for (const end = Date.now() + 60; Date.now() < end;);'));
  await once(child, 'spawn');
  const order = [];
  const done = [];
  child.on('error', () => {});
  for (let i = 0; i < 50; i++) done.push(new Promise((resolve) => child.send('x'.repeat(100_000), (error) => { order.push(i); resolve(error); })));
  const errors = await Promise.all(done);
  t.deepEqual(order, Array.from({ length: 50 }, (_, i) => i));
  t.true(errors.every((error) => error === null || ['EPIPE', 'ERR_IPC_CHANNEL_CLOSED', 'ECONNRESET'].includes(error.code)));
});
