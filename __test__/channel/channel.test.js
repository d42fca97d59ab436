'use strict';

// What a channel withstands: ends that send too much, or what they may not, and ends that go away. What is no message
// at all: channel-deliberate.test.js.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { serialize } = require('node:v8');

const { OURS } = require('../parity/harness');
const { spawnNativeRogue, spawnRogue } = require('../helpers/rogue');

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
  const child = spawnRogue(
    ours,
    'write(JSON.stringify("x".repeat(1000)) + "\\n" + JSON.stringify("x".repeat(1001)) + "\\n")',
    { maxMessageSize: 1002 },
  );
  t.deepEqual(await heard(child), ['x'.repeat(1000), BROKEN]);
});

test.serial('a length that nothing follows, in advanced mode, allocates nothing', async (t) => {
  const before = process.memoryUsage().rss;
  const child = spawnRogue(ours, 'write([0xff, 0xff, 0xff, 0xf0, 0xff])', { serialization: 'advanced' });
  t.deepEqual(await heard(child), [BROKEN]);
  t.true(process.memoryUsage().rss - before < 64 * MB);
});

const SHARED = { cmd: 'Shared', content: 'Message', slot: 0, bytes: 4096 };
const HUGE = 2 ** 53;

for (const serialization of ['json', 'advanced']) {
  for (const [name, words] of Object.entries({
    'without a descriptor': [{ ...SHARED, size: 4096 }],
    'in a slot that there is not': [SHARED, { ...SHARED, slot: 63 }, { ...SHARED, slot: 2 ** 32 - 1 }],
    'of more than there can be': [
      { ...SHARED, bytes: 1, size: HUGE },
      { ...SHARED, slot: 64, bytes: 1, size: 4096 },
    ],
  })) {
    const one = `${serialization}: a message in shared memory ${name}`;

    test(`${one} holds the others back, and is an error at the end of the channel`, async (t) => {
      const said = words.map((word) => `word(${JSON.stringify(word)});`).join('');
      const child = spawnNativeRogue(ours, `hello(); say(1); ${said} say(2)`, serialization);
      t.deepEqual(await heard(child), [1, ...words.map(() => BROKEN), 2]);
    });

    test(`${one} that comes again is delivered in its place`, async (t) => {
      const said = words.map((word) => `word(${JSON.stringify(word)});`).join('');
      const again = words.map(({ slot }) => `word({ cmd: 'Inline', slot: ${slot} }); say('in ${slot}');`).join('');
      const child = spawnNativeRogue(ours, `hello(); ${said} say('after'); ${again}`, serialization);
      t.deepEqual(await heard(child), [...words.map(({ slot }) => `in ${slot}`), 'after']);
    });
  }

  test(`${serialization}: a disconnect in a listener, with a message missing, delivers what came later`, async (t) => {
    const child = spawnNativeRogue(
      ours,
      `hello(); say(1); word(${JSON.stringify(SHARED)}); say(2); say(3); stay()`,
      serialization,
    );
    const events = [];
    child.on('error', ({ code }) => events.push(code));
    child.on('message', (message) => {
      events.push(message);
      if (message === 1) child.disconnect();
    });
    child.on('disconnect', () => child.kill());
    // All of it is there when this process looks.
    child.once('spawn', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300));
    await new Promise((resolve) => child.on('exit', resolve));
    t.deepEqual(events, [1, BROKEN, 2, 3]);
  });

  test(`${serialization}: a child that was not announced as native cannot speak as one`, async (t) => {
    const frame = (bytes) => [0, 0, 0, bytes.length, ...bytes];
    const mark = '\u0001{"cmd":"Hello","secret":""}';
    const bytes =
      serialization === 'json'
        ? [...Buffer.from(`${mark}\n1\n`)]
        : [...frame(Buffer.from(mark)), ...frame(serialize(1))];
    const child = spawnRogue(ours, `write(${JSON.stringify(bytes)})`, { serialization });
    t.deepEqual(await heard(child), [BROKEN, 1]);
  });

  for (const [name, code] of Object.entries({
    'with a wrong secret': 'hello("0")',
    'before it has introduced itself': 'word({ cmd: "Forget", slot: 0 })',
  })) {
    test(`${serialization}: a child that speaks as a native end ${name} ends the channel`, async (t) => {
      const child = spawnNativeRogue(ours, `say(1); ${code}; say(2)`, serialization);
      t.deepEqual(await heard(child), [1, BROKEN]);
    });
  }
}

test('all that the parent sent before its exit arrives', async (t) => {
  const parent = ours.fork(
    script(
      t,
      `
    const file = process.argv[1].replace('child.js', 'grandchild.js')
    const child = require(${JSON.stringify(OURS)}).fork(file, { stdio: ['ignore', 1, 2, 'ipc'] })
    child.on('message', () => {
      for (let i = 0; i < 3000; i++) child.send({ i, text: 'x'.repeat(1000) })
      process.exit(0)
    })
  `,
    ),
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  fs.writeFileSync(
    parent.spawnargs.at(-1).replace('child.js', 'grandchild.js'),
    `
    let next = 0
    process.on('message', ({ i }) => { if (i === next) next++ })
    process.on('disconnect', () => console.log(next))
    process.send('ready')
  `,
  );
  let out = '';
  parent.stdout.on('data', (data) => {
    out += data;
  });
  await once(parent, 'close');
  t.is(out, '3000\n');
});

test('large Buffers and ArrayBuffers arrive whole, and either side may change its own', async (t) => {
  const child = ours.fork(
    script(
      t,
      `
      process.on('message', (m) => {
        const copy = m instanceof ArrayBuffer ? m.slice(0) : Buffer.from(m)
        new Uint8Array(m.buffer ?? m, m.byteOffset ?? 0)[0] = 9
        process.send(copy)
      })`,
    ),
    { serialization: 'advanced' },
  );
  t.teardown(() => child.kill());
  const bytes = Buffer.from(Array.from({ length: 3 * MB }, (_, i) => i % 251));
  for (const message of [
    bytes,
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 3 * MB),
    bytes.subarray(0, 262_144),
    bytes.subarray(1, 262_144),
  ]) {
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
  const child = ours.fork(
    script(
      t,
      `
      setTimeout(() => process.exit(), 50)
      process.on('message', () => {})
      for (const end = Date.now() + 60; Date.now() < end;);`,
    ),
  );
  await once(child, 'spawn');
  const order = [];
  const done = [];
  child.on('error', () => {});
  for (let i = 0; i < 50; i++)
    done.push(
      new Promise((resolve) =>
        child.send('x'.repeat(100_000), (error) => {
          order.push(i);
          resolve(error);
        }),
      ),
    );
  const errors = await Promise.all(done);
  t.deepEqual(
    order,
    Array.from({ length: 50 }, (_, i) => i),
  );
  t.true(errors.some(Boolean));
  t.true(
    errors.every((error) => error === null || ['EPIPE', 'ERR_IPC_CHANNEL_CLOSED', 'ECONNRESET'].includes(error.code)),
  );
});

test('a synchronous call does not lose the error of a message that it could not write', async (t) => {
  const file = script(t, "process.on('message', () => {}); process.send('ready');");
  // Whether the last message is written at once or later, by the synchronous call, depends on the clock.
  for (let i = 0; i < 8; i++) {
    const child = ours.fork(file);
    const errors = [];
    child.on('error', ({ code }) => errors.push(code));
    await once(child, 'message');
    for (let k = 0; k < 9; k++) child.send(k);
    const written = new Promise((resolve) => child.send('last', (error) => resolve(error?.code)));
    child.kill('SIGKILL');
    while (!/\) Z /.test(fs.readFileSync(`/proc/${child.pid}/stat`, 'latin1')));
    ours.spawnSync('true');
    const code = await written;
    await new Promise((resolve) => child.once('close', resolve));
    t.deepEqual(errors, code === undefined ? [] : ['EPIPE']);
    if (code !== undefined) t.is(code, 'EPIPE');
  }
});
