'use strict';

// Generated values that a channel may carry, and checks with them.

const fc = require('fast-check');
const { isDeepStrictEqual } = require('node:util');

const { MODES, Reader } = require('./wire');

// Runs of so many values each.
const RUNS = Number(process.env.CODEC_RUNS ?? 300);
const VALUES = 100;

// The same values every time, unless others are asked for.
fc.configureGlobal({ seed: Number(process.env.CODEC_SEED ?? 1) });

const many = (values) => fc.array(values, { maxLength: VALUES, size: 'max' });

/** Checks `property` of generated arrays of `values`; what fails is made as small as it can be. */
function check(values, property, runs = RUNS) {
  return fc.assert(fc.asyncProperty(many(values), property), { numRuns: runs, includeErrorInReport: true });
}

const shown = (bytes) => bytes && JSON.stringify(bytes.toString('latin1'));

function same(actual, expected, value) {
  if (!actual || !actual.equals(expected)) {
    throw new Error(`${shown(actual)}\nwas written and not\n${shown(expected)}\nof ${fc.stringify(value)}`);
  }
}

function alike(actual, expected) {
  if (!isDeepStrictEqual(actual, expected))
    throw new Error(`${fc.stringify(actual)}\ncame and not\n${fc.stringify(expected)}`);
}

// Any units of UTF-16, in pairs or not.
const units = fc.array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff }), fc.nat(0x7f)), {
  maxLength: 30,
});
const SPECIAL = [
  '',
  '\u2028\u2029',
  '\uFEFF',
  '\uFFFD',
  '\uFFFD\uD800',
  '"\\/',
  '\u007f\u0080\u00ff\u0100',
  '__proto__',
  'NODE_',
  'toJSON',
];
const string = fc.oneof(
  units.map((list) => String.fromCharCode(...list)),
  fc.array(fc.nat(0xff), { maxLength: 30 }).map((list) => String.fromCharCode(...list)),
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...SPECIAL),
  fc
    .tuple(fc.nat(0xffff), fc.integer({ min: 100, max: 20_000 }))
    .map(([unit, count]) => String.fromCharCode(unit).repeat(count)),
);
const NUMBERS = [
  -0,
  2 ** 31,
  -(2 ** 31),
  2 ** 31 - 1,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  2 ** 53 + 2,
  1e21,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  NaN,
  Infinity,
  -Infinity,
];
const number = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger(), fc.float(), fc.constantFrom(...NUMBERS));
const primitive = fc.oneof(string, number, fc.boolean(), fc.constant(null));

/** The arguments of `fc.anything` for whatever is not listed as left out. */
const everything = (leftOut = {}) =>
  fc.anything({
    key: fc.oneof(fc.string(), fc.constantFrom(...SPECIAL)),
    values: [primitive, fc.constant(undefined)],
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    ...leftOut,
  });

// The same as an object of a class, behind getters, with `toJSON` of every kind, with functions and symbols.
class Point {
  constructor(x) {
    this.x = x;
  }
}

class Told extends Point {
  toJSON(name) {
    return { name, x: this.x };
  }
}

const dressed = (values) =>
  fc.oneof(
    values,
    values.map((x) => new Point(x)),
    values.map((x) => new Told(x)),
    values.map((x) => ({ inner: new Told(x), list: [new Told(x)] })),
    values.map((x) => ({ toJSON: () => x })),
    values.map((x) => ({ toJSON: x, x })),
    values.map((x) => ({
      get x() {
        return x;
      },
    })),
    values.map((x) => ({ f() {}, s: Symbol('s'), [Symbol('s')]: x, x, list: [() => {}, Symbol('s'), undefined] })),
    values.map((x) => Object.create({ inherited: x }, { own: { value: x, enumerable: true }, hidden: { value: x } })),
    values.map((x) => JSON.parse(`{"__proto__":${typeof x === 'object' ? '{"x":[]}' : JSON.stringify(String(x))}}`)),
  );

/** What can be sent: the same value, or a list of it. */
const sendable = (value) => (['string', 'number', 'boolean', 'object'].includes(typeof value) ? value : [value]);

function errorOf(job) {
  try {
    job();
    return undefined;
  } catch (error) {
    return error;
  }
}

const succeeds = (job) => errorOf(job) === undefined;

const internal = fc
  .oneof(string, fc.constant(''))
  .chain((text) =>
    fc.constantFrom(
      { cmd: `NODE_TEST${text}` },
      { text, cmd: `NODE_TEST${text}`, list: [text] },
      { cmd: 'NODE_', text },
      { cmd: { cmd: 'NODE_TEST' } },
      [{ cmd: 'NODE_TEST' }],
      { cmd: text, text: 'NODE_TEST' },
    ),
  );

const isInternal = (value) => typeof value?.cmd === 'string' && value.cmd.length > 5 && value.cmd.startsWith('NODE_');

/** The stream of `messages` in pieces that end at `cuts`, parts of a thousand. */
function cut(messages, cuts) {
  const whole = Buffer.concat(messages);
  const places = [
    0,
    ...cuts.map((part) => Math.round((whole.length * part) / 1000)).sort((a, b) => a - b),
    whole.length,
  ];
  return places
    .slice(1)
    .map((place, i) => whole.subarray(places[i], place))
    .filter((piece) => piece.length > 0);
}

/** Checks that `values` are read as they should be however their messages are cut and batched. */
async function checkReading(t, serialization, values) {
  const { encode, decode, content } = MODES[serialization];
  const reader = new Reader(t, serialization);
  const cuts = fc.array(fc.nat(1000), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(many(values), cuts, fc.boolean(), async (values, cuts, pauses) => {
      const messages = values.map(encode);
      const expected = messages
        .map((message) => decode(content(message)))
        .map((value) => [isInternal(value) ? 'internalMessage' : 'message', value]);
      const heard = await reader.read(cut(messages, cuts), pauses);
      alike(heard.length, expected.length);
      heard.forEach((event, i) => alike(event, expected[i]));
    }),
    { numRuns: RUNS, includeErrorInReport: true },
  );
  t.pass();
}

module.exports = {
  RUNS,
  alike,
  check,
  checkReading,
  dressed,
  errorOf,
  everything,
  internal,
  isInternal,
  primitive,
  same,
  sendable,
  succeeds,
};
