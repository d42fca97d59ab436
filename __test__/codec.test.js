'use strict';

// What the channel writes and reads, on generated values: `JSON.stringify` and `v8` of this Node say what it must be.

const test = require('ava');
const fc = require('fast-check');
const { isDeepStrictEqual } = require('node:util');

const { structureOf } = require('./helpers/serialized');
const { MODES, Reader, Writer, deserialize, serialize } = require('./helpers/wire');

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

test('json: strings, numbers, booleans and null are written as JSON.stringify writes them', async (t) => {
  const writer = new Writer(t, 'json');
  await check(primitive, async (values) => {
    const written = await writer.write(values);
    values.forEach((value, i) => same(written[i], MODES.json.encode(value), value));
  });
  t.pass();
});

test('json: objects and arrays are written as JSON.stringify writes them', async (t) => {
  const writer = new Writer(t, 'json');
  await check(
    fc.jsonValue({ maxDepth: 6 }).map(sendable),
    async (values) => {
      const written = await writer.write(values);
      values.forEach((value, i) => same(written[i], MODES.json.encode(value), value));
    },
    RUNS / 2,
  );
  t.pass();
});

test('json: what has toJSON, or no JSON at all, too', async (t) => {
  const writer = new Writer(t, 'json');
  const values = dressed(everything({ withBigInt: false }))
    .map(sendable)
    .filter((value) => succeeds(() => JSON.stringify(value)));
  await check(
    values,
    async (values) => {
      const written = await writer.write(values);
      values.forEach((value, i) => same(written[i], MODES.json.encode(value), value));
    },
    RUNS / 2,
  );
  t.pass();
});

test('json: what JSON.stringify throws is thrown, and nothing is written of it', async (t) => {
  const writer = new Writer(t, 'json');
  const values = everything().map((x) => {
    const cycle = { x };
    cycle.list = [cycle];
    return cycle;
  });
  const broken = fc.oneof(
    values,
    everything().map((x) => ({ x, big: 1n })),
    everything().map((x) => [
      x,
      {
        toJSON() {
          throw new TypeError('mine');
        },
      },
    ]),
  );
  await check(
    broken,
    async (values) => {
      for (const value of values)
        alike(errorOf(() => writer.child.send(value))?.message, errorOf(() => JSON.stringify(value)).message);
      alike(await writer.write([]), []);
    },
    50,
  );
  t.pass();
});

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
    new Error('an error').message,
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
      alike(written.length, values.length);
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

test('json: however messages are cut and batched, the same values come in order', (t) =>
  checkReading(t, 'json', fc.oneof(primitive, fc.jsonValue({ maxDepth: 4 }), internal)));

test('json: escaped in any way, a message is the same one', async (t) => {
  const reader = new Reader(t, 'json');
  const escape = (text, which) =>
    text.replace(/[A-Za-z_]/g, (letter, i) =>
      which[i % which.length] ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
    );
  const line = fc
    .tuple(
      fc.constantFrom('cmd', 'cmb'),
      fc.constantFrom('NODE_TEST', 'NODE_', 'NODE-TEST'),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
    )
    .chain(([name, cmd, which]) =>
      fc.constantFrom(
        `{"${escape(name, which)}":"${escape(cmd, which)}"}`,
        `{ "x" : [ 1 ] , "${escape(name, which)}" : "${escape(cmd, which)}" }`,
        `{"cmd":1,"${escape(name, which)}":"${escape(cmd, which)}"}`,
        `{"${escape(name, which)}":"${escape(cmd, which)}","${escape('cmd', which)}":null}`,
        `{"\\ud800":1,"${escape(name, which)}":"${escape(cmd, which)}"}`,
        `{"cmd":1e999,"${escape(name, which)}":"${escape(cmd, which)}\\udfff"}`,
      ),
    );
  await check(
    line,
    async (lines) => {
      const expected = lines
        .map((text) => JSON.parse(text))
        .map((value) => [isInternal(value) ? 'internalMessage' : 'message', value]);
      const heard = await reader.read([lines.map((text) => `${text}\n`).join('')], false);
      alike(heard.length, expected.length);
      heard.forEach((event, i) => alike(event, expected[i]));
    },
    RUNS / 2,
  );
  t.pass();
});

test('advanced: however messages are cut and batched, the same values come in order', (t) =>
  checkReading(t, 'advanced', fc.oneof(cloneable, plainTree, internal)));
