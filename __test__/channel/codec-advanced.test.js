'use strict';

// What the channel writes and reads in advanced mode, on generated values: `v8` of this Node says what it must be.

const test = require('ava');
const fc = require('fast-check');
const { isDeepStrictEqual } = require('node:util');

const {
  RUNS,
  alike,
  check,
  checkReading,
  dressed,
  errorOf,
  everything,
  internal,
  primitive,
  same,
  sendable,
  succeeds,
} = require('../helpers/generated');
const { structureOf } = require('../helpers/serialized');
const { Writer, deserialize, serialize } = require('../helpers/wire');

const latin = fc.array(fc.nat(0xff), { maxLength: 20 }).map((list) => String.fromCharCode(...list));

const plainTree = fc.letrec((tie) => ({
  value: fc.oneof(
    { withCrossShrink: true },
    latin,
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    tie('object'),
    tie('array'),
  ),
  object: fc.dictionary(
    latin.map((name) => `tree ${name}`),
    tie('value'),
    { maxKeys: 5, noNullPrototype: true },
  ),
  array: fc.array(tie('value'), { maxLength: 5 }),
})).value;

test('advanced: small trees of texts, numbers, booleans and null are written as V8 writes them', async (t) => {
  const writer = new Writer(t, 'advanced');
  await check(plainTree, async (values) => {
    const written = await writer.write(values);
    values.forEach((value, i) => {
      const actual = written[i].subarray(4);
      if (!isDeepStrictEqual(structureOf(actual), structureOf(serialize(value)))) same(actual, serialize(value), value);
      alike(deserialize(actual), value);
    });
  });
  t.pass();
});

const cyclic = (values) =>
  values.map((x) => {
    const object = { x, again: x, list: [x] };
    object.self = object;
    object.map = new Map([[object, new Set([object])]]);
    return object;
  });

const bytes = fc.uint8Array({ maxLength: 300 });
// Before Node 24 an invalid date differs from itself.
const validDate = fc.date({ noInvalidDate: true });
const VALID_DATES = { values: [primitive, fc.constant(undefined), validDate], withDate: false };
const comparable = everything({ ...VALID_DATES, withNullPrototype: false, withObjectString: false });
const cloneable = fc.oneof(
  primitive,
  comparable.map(sendable),
  fc.jsonValue({ maxDepth: 5 }).map(sendable),
  cyclic(comparable),
  bytes.map((list) => Buffer.from(list)),
  bytes.map((list) => ({
    a: Buffer.from(list),
    b: list,
    c: list.buffer.slice(0),
    d: new DataView(list.buffer.slice(0)),
  })),
  bytes.map((list) => list.buffer.slice(0)),
  fc
    .array(fc.double(), { minLength: 1, maxLength: 20 })
    .map((list) => [new Float64Array(list), new Float32Array(list), list]),
  fc.array(fc.bigInt(), { maxLength: 20 }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((big) => [Object(big), new BigInt64Array([big])]),
  validDate,
  fc.constantFrom(
    /a/g,
    /[\u{1F600}]/u,
    new RegExp(''),
    new Error('an error'),
    new String('x'),
    new Number(-0),
    new Boolean(false),
  ),
);

test('advanced: what is written is read by V8 as the same value', async (t) => {
  const writer = new Writer(t, 'advanced');
  await check(
    cloneable,
    async (values) => {
      const written = await writer.write(values);
      values.forEach((value, i) => alike(deserialize(written[i].subarray(4)), value));
    },
    RUNS / 2,
  );
  t.pass();
});

test('advanced: whatever can be cloned is written so that V8 reads what it would have written itself', async (t) => {
  const writer = new Writer(t, 'advanced');
  const values = dressed(everything(VALID_DATES))
    .map(sendable)
    .filter((value) => succeeds(() => serialize(value)));
  await check(
    values,
    async (values) => {
      const written = await writer.write(values);
      values.forEach((value, i) => {
        const expected = serialize(value);
        const actual = written[i].subarray(4);
        if (!actual.equals(expected)) alike(deserialize(actual), deserialize(expected));
      });
    },
    RUNS / 2,
  );
  t.pass();
});

test('advanced: what cannot be cloned throws what V8 throws, and nothing is written of it', async (t) => {
  const writer = new Writer(t, 'advanced');
  const inner = fc.constantFrom(
    () => {},
    Symbol('s'),
    new WeakMap(),
    Promise.resolve(),
    new Proxy({}, {}),
    new Proxy([], {}),
  );
  const broken = fc
    .tuple(inner, primitive)
    .chain(([f, x]) => fc.constantFrom({ f }, { x, f }, [x, f], new Map([[x, f]]), { x: { y: [f] } }));
  await check(
    broken,
    async (values) => {
      for (const value of values) {
        const [actual, expected] = [errorOf(() => writer.child.send(value)), errorOf(() => serialize(value))];
        alike([actual?.name, actual?.message, actual?.code], [expected.name, expected.message, expected.code]);
      }
      alike(await writer.write([]), []);
    },
    50,
  );
  t.pass();
});

test('advanced: however messages are cut and batched, the same values come in order', (t) =>
  checkReading(t, 'advanced', fc.oneof(cloneable, plainTree, internal)));
