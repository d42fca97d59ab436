'use strict';

// What two native ends send in place of JSON texts is, on generated values, what JSON.parse(JSON.stringify(value)) gives; and bytes that
// are none are an error, whatever they are.

const test = require('ava');
const fc = require('fast-check');
const path = require('node:path');
const { setFlagsFromString } = require('node:v8');

const { OURS } = require('./parity/pairings');
const { Packer, UNDEFINED, Unpacker, output } = require('../lib/pack');

const ours = require(OURS);

const RUNS = Number(process.env.CODEC_RUNS ?? 300) * 20;
const AS_TEXT = -1;
const HEADER = 5;

fc.configureGlobal({ seed: Number(process.env.CODEC_SEED ?? 1) });

/** The last message of `packer`, as it goes over the wire. */
function frame(length) {
  const bytes = Buffer.alloc(HEADER + length);
  bytes[0] = 1;
  bytes.writeUInt32LE(length, 1);
  output.bytes.copy(bytes, HEADER, 0, length);
  return bytes;
}

/** Two ends, which get to know each other's objects. */
function ends() {
  const packer = new Packer();
  const unpacker = new Unpacker();
  return (value) => {
    const length = packer.pack(value);
    if (length < 0) return length;
    const bytes = frame(length);
    return unpacker.unpack(bytes, bytes.length);
  };
}

function checkOne(t, send, value) {
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    t.throws(() => send(value), { message: error.message });
    return;
  }
  const sent = send(value);
  if (text === undefined) {
    t.is(sent, UNDEFINED);
    return;
  }
  const [received] = sent;
  const expected = JSON.parse(text);
  t.deepEqual(received, expected);
  // The order of properties, too.
  t.is(JSON.stringify(received), JSON.stringify(expected));
}

const objects = fc.oneof(
  fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()),
  fc.array(fc.anything()),
  fc.object({ withBoxedValues: true, withDate: true, withSparseArray: true, withNullPrototype: true, withTypedArray: true, withMap: true, withSet: true }),
);

test('generated values', (t) => {
  const send = ends();
  fc.assert(fc.property(objects, (value) => checkOne(t, send, value)), { numRuns: RUNS });
});

test('generated objects of a few kinds, time and again', (t) => {
  const send = ends();
  const leaf = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.double(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined, -0, 2 ** 31, 65536));
  const list = fc.array(leaf);
  const kinds = fc.oneof(fc.record({ a: leaf, b: leaf }), fc.record({ b: leaf, a: list, ['__proto__']: leaf }), fc.record({ c: fc.record({ a: leaf, b: list }), 1: leaf }));
  fc.assert(fc.property(kinds, (value) => checkOne(t, send, value)), { numRuns: RUNS });
});

class Point {
  constructor() { this.x = 1; }

  get y() { return 2; }
}

const SPECIAL = {
  'what has no text is left out, or null in an array': { a: undefined, b: { c: undefined, d: 1 }, e: () => 1, f: Symbol('x'), g: [undefined, () => 1, Symbol('x'), , 1] },
  'numbers': [0, -0, 63, 64, 65535, 65536, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1, 1e300, NaN, Infinity, -Infinity],
  'strings of every length around the limits': Array.from({ length: 70 }, (_, length) => 'abcdefghij'.repeat(7).slice(0, length)),
  'strings that are not ASCII': ['é', 'é'.repeat(40), '語'.repeat(5000), '\ud800', `${'x'.repeat(50)}\udc00`, '\0\n\u2028"\\'],
  'names like any other': { ['__proto__']: 1, constructor: 2, toString: 3, hasOwnProperty: 4, 1: 5, 0: 6, '': 7, ['é'.repeat(40)]: 8 },
  'objects that are rather maps': Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key ${i}`, i % 3 ? i : undefined])),
  'toJSON, with its key': { a: { toJSON: (key) => `${typeof key} ${key}` }, b: [{ toJSON: (key) => `${typeof key} ${key}` }], c: { toJSON: () => undefined }, d: { toJSON: 1 }, e: Object.assign(() => 1, { toJSON: () => 'f' }) },
  'an object whose toJSON gives a text': { toJSON: () => 'text' },
  'boxed': { n: Object(1), s: Object('x'), b: Object(false), t: Object(true), y: Object(Symbol('s')) },
  'a boxed bigint': { b: Object(1n) },
  'a bigint': [1n],
  'dates, buffers, maps, regular expressions, errors': { d: new Date(0), i: new Date(NaN), b: Buffer.from('hi'), u: new Uint8Array([1, 2]), m: new Map([[1, 2]]), r: /x/, e: new Error('no') },
  'instances and objects without a prototype': { p: new Point(), n: Object.assign(Object.create(null), { a: 1 }), i: Object.create({ inherited: 1 }) },
  'proxies': { a: new Proxy([1, 2], {}), o: new Proxy({ x: 1 }, { get: (target, name) => (name === 'x' ? 'trapped' : target[name]) }) },
  'names that are no enumerable strings': Object.defineProperty({ [Symbol('s')]: 1, a: 1 }, 'hidden', { value: 1 }),
};

for (const [title, value] of Object.entries(SPECIAL)) {
  test(title, (t) => {
    const send = ends();
    // The second time names are told, then they are known, then there is code for them.
    for (let i = 0; i < 12; i++) checkOne(t, send, value);
  });
}

test('properties that come and go while they are read', (t) => {
  const send = ends();
  for (let i = 0; i < 12; i++) {
    const value = () => ({
      get a() { delete this.c; this.b = { x: 1 }; this.d = 1; return 1; },
      b: { y: 2 },
      c: i % 3 === 0 ? [{ y: 2 }, { x: 1 }, { y: 2, x: 1 }] : { y: 2 },
    });
    t.deepEqual(send(value()), [JSON.parse(JSON.stringify(value()))]);
    t.deepEqual(send({ a: { y: 1, x: 2 }, b: i }), [{ a: { y: 1, x: 2 }, b: i }]);
    t.is(JSON.stringify(send({ a: { x: 2, y: 1 }, b: i })), `[{"a":{"x":2,"y":1},"b":${i}}]`);
  }
});

test('a raw JSON text is read as JSON reads it', (t) => {
  if (!JSON.rawJSON) return t.pass();
  const send = ends();
  const value = { n: JSON.rawJSON('12345678901234567890'), z: JSON.rawJSON('-0'), i: JSON.rawJSON('1e1000'), s: JSON.rawJSON('"x"'), b: JSON.rawJSON('true') };
  t.deepEqual(send(value), [JSON.parse(JSON.stringify(value))]);
});

test('getters are called once, in order, and what they throw is thrown', (t) => {
  const send = ends();
  const calls = [];
  const value = (throws) => ({
    get a() { calls.push('a'); return 1; },
    b: { get toJSON() { calls.push('toJSON'); return () => { calls.push('b'); return 2; }; } },
    get c() { calls.push('c'); if (throws) throw new RangeError('no'); return 3; },
  });
  for (let i = 0; i < 12; i++) {
    calls.length = 0;
    t.deepEqual(send(value(false)), [{ a: 1, b: 2, c: 3 }]);
    t.deepEqual(calls, ['a', 'toJSON', 'b', 'c']);
    t.throws(() => send(value(true)), { instanceOf: RangeError, message: 'no' });
  }
});

test('names that were told in a message that was not sent are told again', (t) => {
  const send = ends();
  send({ known: 1 });
  t.throws(() => send({ known: 1, get b() { send({ x: 1 }); throw new Error('no'); } }));
  t.throws(() => send([{ known: 1 }, { get b() { throw new Error('no'); } }]));
  for (let i = 0; i < 3; i++) t.deepEqual(send({ known: i }), [{ known: i }]);

  // Nor do they use up what is remembered.
  const packer = new Packer();
  const name = 'a name of some length, to be told once';
  for (let i = 0; i < 2000; i++) t.throws(() => packer.pack([{ [name]: 1 }, { [name]: 1, get b() { throw new Error('no'); } }]));
  packer.pack({ [name]: 1 });
  t.true(packer.pack({ [name]: 1 }) < name.length);
});

test('what is sent meanwhile, by a getter, is a text', (t) => {
  const packer = new Packer();
  let inner;
  t.true(packer.pack({ get a() { inner = new Packer().pack({ b: 1 }); return 1; } }) > 0);
  t.is(inner, AS_TEXT);
});

test('circles, very deep ones, huge arrays and internal messages are texts', (t) => {
  const circle = {};
  circle.circle = circle;
  const deep = JSON.parse('['.repeat(500) + ']'.repeat(500));
  for (const value of [circle, deep, new Array(2 ** 21), { cmd: 'NODE_X' }]) t.is(new Packer().pack(value), AS_TEXT);
  t.true(new Packer().pack({ a: { cmd: 'NODE_X' } }) > 0);
  const packer = new Packer();
  for (let i = 0; i < 12; i++) {
    t.true(packer.pack({ a: { cmd: 'NODE_X' }, cmd: 'x' }) > 0);
    t.is(packer.pack({ a: { cmd: 'x' }, cmd: 'NODE_X' }), AS_TEXT);
  }
  t.true(new Packer().pack({ cmd: 'node' }) > 0);
});

test('more kinds of objects than are remembered', (t) => {
  const send = ends();
  for (let i = 0; i < 3000; i++) {
    for (let again = 0; again < 3; again++) {
      const value = { [`a${i}`]: 1, [`b${i}`]: [{ [`c${i}`]: i }], [`d${i}`]: 'x' };
      if (!isEqual(send(value)[0], value)) t.fail(`kind ${i}`);
    }
  }
  t.pass();
});

const isEqual = (one, other) => JSON.stringify(one) === JSON.stringify(other);

test('several at once, and long ones', (t) => {
  const packer = new Packer();
  const unpacker = new Unpacker();
  const values = [{ a: 'x'.repeat(1e6) }, { a: 'é'.repeat(1e6) }, { a: 1 }, { a: 'y'.repeat(3e6), b: { a: [1] } }];
  const bytes = Buffer.concat(values.map((value) => frame(packer.pack(value))));
  t.true(isEqual(unpacker.unpack(bytes, bytes.length), values));
  // Not the room behind them.
  const roomy = Buffer.concat([bytes, Buffer.alloc(100, 1)]);
  t.true(isEqual(new Unpacker().unpack(roomy, bytes.length), values));
});

test('a short text does not keep the message alive that it came in', (t) => {
  setFlagsFromString('--expose-gc');
  const gc = require('node:vm').runInNewContext('gc');
  const send = ends();
  const kept = [];
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 200; i++) {
    const [{ text }] = send({ text: `${i}`.padEnd(30, '.'), rest: 'x'.repeat(100_000) });
    kept.push(text);
  }
  gc();
  t.true(process.memoryUsage().heapUsed - before < 5e6);
  t.is(kept.length, 200);
});

test('what inherits from Object.prototype is not asked', (t) => {
  const send = ends();
  Object.defineProperty(Object.prototype, 'intruder', { set() { throw new Error('called'); }, configurable: true });
  try {
    for (let i = 0; i < 12; i++) t.deepEqual(Object.entries(send({ intruder: i })[0]), [['intruder', i]]);
  } finally {
    delete Object.prototype.intruder;
  }
});

test('bytes that are no message are an error, and none of them takes long', (t) => {
  const sample = (() => {
    const packer = new Packer();
    for (let i = 0; i < 3; i++) packer.pack({ a: [1, 'two', { b: 3.5 }], c: null });
    return frame(new Packer().pack({ a: [1, 'two', { b: 3.5 }], c: null }));
  })();
  const attempt = (bytes) => {
    try {
      new Unpacker().unpack(bytes, bytes.length);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError)) t.fail(error.stack);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
    const bytes = Buffer.alloc(HEADER + content.length);
    bytes[0] = 1;
    bytes.writeUInt32LE(content.length, 1);
    bytes.set(content, HEADER);
    attempt(bytes);
  }), { numRuns: RUNS });
  fc.assert(fc.property(fc.nat(sample.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
    const bytes = Buffer.from(sample);
    bytes[at] = byte;
    attempt(bytes);
  }), { numRuns: RUNS });
  for (let length = 0; length < sample.length; length++) attempt(sample.subarray(0, length));
  // An array of four thousand million, and arrays in arrays.
  attempt(Buffer.from([1, 5, 0, 0, 0, 8, 255, 255, 255, 255]));
  const deep = Buffer.alloc(HEADER + 5 * 200_000);
  deep[0] = 1;
  deep.writeUInt32LE(deep.length - HEADER, 1);
  for (let at = HEADER; at < deep.length; at += 5) {
    deep[at] = 8;
    deep.writeUInt32LE(1, at + 1);
  }
  attempt(deep);
  t.pass();
});

test('a toJSON of all arrays has no say in what names are taken for which', (t) => {
  t.teardown(() => { delete Array.prototype.toJSON; });
  Array.prototype.toJSON = function toJSON() { return `list of ${this.length}`; };
  const send = ends();
  for (const names of [['user', 'pass'], ['left', 'right']]) {
    for (let i = 0; i < 12; i++) {
      const value = Object.fromEntries(names.map((name) => [name, i]));
      t.deepEqual(send(value), [value]);
    }
  }
});

test('names are remembered in bounds, at either end', (t) => {
  const long = { ['x'.repeat(2000)]: 1 };
  const send = ends();
  for (let i = 0; i < 4; i++) t.deepEqual(send(long), [long]);
  const text = (length) => [6, length & 255, length >> 8, 0, 0, ...Buffer.alloc(length, 'x')];
  const define = (id, count, name) => Buffer.from([10, id & 255, id >> 8, count, ...Array.from({ length: count }, () => name).flat(), 1]);
  const read = (body) => {
    const bytes = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), body]);
    bytes.writeUInt32LE(body.length, 1);
    return new Unpacker().unpack(bytes, bytes.length);
  };
  t.deepEqual(read(define(1024, 32, text(32))), [true]);
  for (const beyond of [define(1025, 1, text(1)), define(1, 33, text(1)), define(1, 1, text(1025))]) t.throws(() => read(beyond));
});

test('where no code may be made of strings', (t) => {
  const script = `
    const { Packer, Unpacker, output } = require(${JSON.stringify(path.resolve(__dirname, '../lib/pack'))})
    const packer = new Packer(), unpacker = new Unpacker()
    for (let i = 0; i < 20; i++) {
      const length = packer.pack({ i, s: 'x' })
      const bytes = Buffer.alloc(5 + length)
      bytes[0] = 1
      bytes.writeUInt32LE(length, 1)
      output.bytes.copy(bytes, 5, 0, length)
      console.log(JSON.stringify(unpacker.unpack(bytes, bytes.length)))
    }`;
  const { stdout, stderr } = ours.spawnSync(process.execPath, ['--disallow-code-generation-from-strings', '-e', script], { encoding: 'utf8' });
  t.is(stdout, Array.from({ length: 20 }, (_, i) => `[{"i":${i},"s":"x"}]\n`).join(''), stderr);
});
