'use strict';

// The advanced mode by V8's own interface, and by `node:v8` where that is not a known one: the same values arrive, and
// the same errors are thrown. `codec-advanced.test.js` looks at the bytes.

const test = require('ava');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { runNode } = require('../helpers/run-node');
const { OURS } = require('../parity/pairings');

const PROGRAM = `
const { inspect } = require('node:util');
const ours = require(${JSON.stringify(OURS)});
if (process.argv[2] === 'child') {
  process.on('message', (message) => process.send(message));
  return;
}
class Point { constructor() { this.x = 1; } }
const bytes = (length) => Uint8Array.from({ length }, (_, index) => index);
const views = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array, globalThis.Float16Array,
].filter(Boolean);
const cycle = { list: [] };
cycle.list.push(cycle);
const same = { a: 1 };
const values = [
  ...views.flatMap((View) => [new View(0), { odd: 'x', view: new View(bytes(24).buffer, 8, 1) }]),
  new DataView(bytes(9).buffer, 1, 3), Buffer.from('abc'), { buffer: Buffer.from('abc') }, Buffer.alloc(0),
  bytes(3).buffer, new Map([[same, new Set([same, 1n])]]), cycle, [undefined, , -0, NaN], new Date(1e12), /x/gi,
  new Point(), Object(1), 'é', '日',
  {
    big: Buffer.alloc(600_000, 7),
    other: Buffer.alloc(70_000, 9),
    small: Buffer.from('z'),
    floats: new Float64Array(40_000).fill(0.5),
  },
  Object.assign(new RangeError('no'), { stack: 'RangeError: no' }),
  Object.create(null, { own: { value: 1, enumerable: true } }),
];
const rejected = [
  () => {}, { deep: [() => {}] }, { symbol: Symbol('s') }, { shared: new SharedArrayBuffer(2) },
  { promise: Promise.resolve() }, { weak: new WeakMap() }, { proxy: new Proxy({}, {}) },
  { get thrown() { throw new EvalError('not today'); } },
  { host: Object.assign(new (require('node:net').Socket)({ fd: undefined }), { own() {} }) },
];
// Small and large views as what they hold.
const shown = (value) => {
  const text = inspect(value, { depth: 9, maxArrayLength: 4 });
  return text.replace(/byteOffset\\]?: \\d+/g, 'at').replace(/<ff 0f.*?>/g, '');
};
const child = ours.fork(__filename, ['child'], { serialization: 'advanced' });
for (const value of rejected) {
  try {
    child.send(value);
    console.log('sent', shown(value));
  } catch (error) {
    console.log(error.name, error.message.split('\\n')[0], error.code);
  }
}
for (const value of values) child.send(value);
let count = 0;
child.on('message', (message) => {
  console.log(shown(message));
  if (message?.floats) {
    // Each in its own memory.
    message.big.fill(1);
    message.small.fill(2);
    const { other, floats, big } = message;
    console.log(other.every((byte) => byte === 9), floats.every((number) => number === 0.5), big.length);
  }
  if (++count === values.length) child.disconnect();
});
`;

/** What the program writes, with the variables of `env`. */
async function run(t, env) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'serialization-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'program.js');
  fs.writeFileSync(file, PROGRAM);
  const { stdout, stderr, code } = await runNode([file], { env });
  t.is(stderr, '');
  t.is(code, 0);
  return stdout;
}

const withoutMemory = (text) => text.replace(/\[?buffer\]?: ArrayBuffer \{[^}]*\}/g, 'memory');

test('both ways of serialising give the same values and the same errors', async (t) => {
  const byEngine = await run(t, {});
  const byModule = await run(t, { CHILD_PROCESS_RS_SERIALIZER: 'node' });
  t.true(byEngine.split('\n').length > 50);
  t.is(withoutMemory(byEngine), withoutMemory(byModule));
});

test('a getter is called once, and may send a message of its own before', async (t) => {
  const ours = require(OURS);
  const child = ours.spawn('cat', [], { stdio: ['ipc', 'pipe', 'inherit'], serialization: 'advanced' });
  t.teardown(() => child.kill('SIGKILL'));
  let calls = 0;
  const inner = { text: 'inner', bytes: Buffer.from('x') };
  child.send({
    get text() {
      child.send(inner);
      return ++calls;
    },
    view: new Uint8Array(2),
    list: [/x/],
  });
  t.throws(
    () =>
      child.send({
        before: 'lost',
        get text() {
          throw new EvalError('not today');
        },
      }),
    { name: 'EvalError' },
  );
  child.send('after');
  child.disconnect();
  const chunks = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  t.is(calls, 1);
  t.true(bytes.indexOf('inner') < bytes.indexOf('list'));
  t.true(bytes.indexOf('list') < bytes.indexOf('after'));
  t.is(bytes.indexOf('lost'), -1);
});
