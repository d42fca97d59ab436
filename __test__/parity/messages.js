'use strict';

// Messages of every kind, made anew at each call, for both ends to send; and how a message that was received is shown.

const vm = require('node:vm');
const { inspect } = require('node:util');

/** All that can be seen of a value, as text, so that no channel can change it on its way back. */
function show(value) {
  // What lies around a view in its buffer is not the sender's to say.
  DataView.prototype[inspect.custom] = function () {
    return `DataView <${Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString('hex')}>`;
  };
  try {
    const text = inspect(value, {
      depth: 40,
      maxArrayLength: 40,
      maxStringLength: 120,
      breakLength: Infinity,
      compact: 40,
    });
    return text.replace(/\n +(at|\.\.\. \d+ lines matching cause stack trace)[^\n]*/g, '');
  } finally {
    delete DataView.prototype[inspect.custom];
  }
}

class Point {
  #secret = 1;
  constructor() {
    this.x = 1;
    this.y = undefined;
  }
  get sum() {
    return this.x + this.#secret;
  }
}

class WithToJSON {
  toJSON(...args) {
    return { args, isThis: this instanceof WithToJSON };
  }
}

function deep(levels, wrap) {
  let value = 0;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

function circle() {
  const object = { name: 'circle', list: [] };
  object.self = object;
  object.list.push(object, object.list);
  return object;
}

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circleOfCollections() {
  const map = new Map();
  const set = new Set([map]);
  map.set('set', set).set(map, map);
  return map;
}

function changedWhileRead() {
  const changing = {
    get a() {
      map.set('late', 1);
      return 1;
    },
  };
  const map = new Map([
    ['a', changing],
    ['b', 2],
  ]);
  return map;
}

function withTraps() {
  return new Proxy(
    {},
    {
      ownKeys: () => ['x', 'y'],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
      get: (_, key) => `got ${String(key)}`,
    },
  );
}

function detached() {
  const gone = new ArrayBuffer(4);
  structuredClone(gone, { transfer: [gone] });
  return gone;
}

const protoKey = () =>
  JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":3,"hasOwnProperty":4,"b":[{"__proto__":null}]}');

const strings = () => [
  ['an empty string', ''],
  ['one character', 'a'],
  ['spaces', '  \t '],
  ['control characters', Array.from({ length: 33 }, (_, i) => String.fromCharCode(i)).join('')],
  ['DEL and above', '\x7f\x80\x9f\xa0\xff'],
  ['a line break', 'a\nb\r\nc'],
  ['line separators', 'a\u2028b\u2029c'],
  ['a byte order mark', '\ufeffa'],
  ['quotes and backslashes', '"\\\'`\\n\\u0041'],
  ['Latin-1', 'éàü'],
  ['two bytes', 'ěšč€'],
  ['four bytes', '\u{1F600}\u{10FFFF}'],
  ['a high surrogate', 'a\uD83D'],
  ['a low surrogate', '\uDE00b'],
  ['surrogates the wrong way round', '\uDE00\uD83D'],
  ['a surrogate before a pair', '\uD83D\u{1F600}'],
  ['what looks like a number', '1e3'],
  ['what looks like JSON', '{"a":1}\n[2]'],
  ['what looks like an internal message', '{"cmd":"NODE_x"}'],
  ['a thousand characters', 'x'.repeat(1000)],
  ['a thousand characters of two bytes', 'ě'.repeat(1000)],
  ['a rope', Array.from({ length: 50 }, (_, i) => `part ${i}`).reduce((all, one) => all + one)],
  ['a slice', 'a long string of which a part is taken'.slice(3, 30)],
];

// prettier-ignore
const numbers = () => [
  ['0', 0], ['-0', -0], ['1', 1], ['-1', -1], ['127', 127], ['128', 128], ['-129', -129],
  ['2 ** 30', 2 ** 30], ['2 ** 31', 2 ** 31], ['-(2 ** 31)', -(2 ** 31)], ['2 ** 32', 2 ** 32],
  ['2 ** 53', 2 ** 53], ['1e21', 1e21],
  ['0.1', 0.1], ['0.1 + 0.2', 0.1 + 0.2], ['1 / 3', 1 / 3], ['1e-7', 1e-7], ['5e-324', 5e-324],
  ['the greatest', Number.MAX_VALUE], ['NaN', NaN], ['Infinity', Infinity], ['-Infinity', -Infinity],
];

// prettier-ignore
const objects = () => [
  ['true', true],
  ['false', false],
  ['null', null],
  ['an empty object', {}],
  ['an empty array', []],
  ['nested', { a: { b: [{ c: [[], {}, null] }] } }],
  ['undefined members', { a: undefined, b: 1, c: [undefined, 2] }],
  ['symbol keys', { [Symbol('s')]: 1, a: 2 }],
  ['keys in odd order', { b: 1, 10: 2, a: 3, 2: 4, '-1': 5, '01': 6 }],
  ['odd keys', { '': 1, ' ': 2, '"': 3, '\n': 4, '\u2028': 5, é: 6, '\u{1F600}': 7, '\uD800': 8 }],
  ['keys of the prototype', protoKey()],
  ['sparse arrays', [1, , 3, , ,]],
  ['an array with a far index', Object.assign([], { 70_000: 'far' }).slice(69_990)],
  ['an array with properties', Object.assign([1, 2], { extra: 3 })],
  ['an array of doubles', [1.5, , 2.5]],
  ['arguments', (function () { return arguments; })(1, 'two')],
  ['a class', new Point()],
  ['an inherited property', Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })],
  ['a hidden property', Object.defineProperty({ a: 1 }, 'hidden', { value: 2, enumerable: false })],
  ['a getter', { get a() { return 'got'; }, b: 1 }],
  ['a getter that removes what follows', { get a() { delete this.b; return 1; }, b: 2, c: 3 }],
  ['a null-prototype object', Object.assign(Object.create(null), { a: 1 })],
  ['a frozen object', Object.freeze({ a: Object.freeze([1]) })],
  ['toJSON', { toJSON: () => ({ json: true }) }],
  ['toJSON of a class', { a: new WithToJSON(), list: [new WithToJSON()] }],
  ['toJSON that is no function', { toJSON: 1, a: 2 }],
  ['members whose toJSON gives nothing', { a: { toJSON() {} }, b: [{ toJSON() {} }], c: 1 }],
  ['a Date', new Date(0)],
  ['an invalid Date', { date: new Date(NaN) }],
  ['a RegExp', /a\/b/giu],
  ['an Error', Object.assign(new RangeError('message'), { code: 'E_CODE' })],
  ['a Map', new Map([['a', 1], [{ b: 2 }, new Map()]])],
  ['a Set', new Set(['a', [1]])],
  ['a Buffer', Buffer.from('buffer')],
  ['an empty Buffer', Buffer.alloc(0)],
  ['typed arrays', { a: new Uint8Array([1, 2]), b: new Float64Array([0.5, -0, NaN]), c: new Int16Array(0) }],
  ['boxed primitives', [new Number(1), new String('s'), new Boolean(false), new Number(NaN), new Number(-0)]],
  ['a boxed string with properties', { boxed: Object.assign(new String('s'), { extra: 1 }) }],
  ['a URL', { url: new URL('http://example.org/a?b') }],
  ['a generator', { generator: (function* () {})() }],
  ['Math and JSON', { math: Math, json: JSON }],
  ['of another realm', vm.runInNewContext('({ a: [1, { b: 2 }], date: new Date(0), nothing: undefined })')],
  ['the same object several times', ((shared) => [shared, shared, { shared }])({ a: 1 })],
  ['a thousand keys', Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, i]))],
  ['a long array', Array.from({ length: 5000 }, (_, i) => i)],
  ['a thousand levels of arrays', deep(1000, (value) => [value])],
  ['a thousand levels of objects', deep(1000, (value) => ({ value }))],
];

// prettier-ignore
const json = () => [
  ...strings(),
  ...numbers(),
  ...objects(),
  ['functions and symbols as members', { a() {}, b: Symbol('s'), c: 1, d: [() => {}, Symbol('t'), class {}] }],
  ['a Proxy', new Proxy({ a: 1, b: [1] }, {})],
  ['a Proxy of an array', { list: new Proxy([1, 2], {}) }],
  ['a Proxy with traps', withTraps()],
  ['weak collections, promises', { a: new WeakMap(), b: new WeakSet(), c: Promise.resolve(1) }],
  ['raw JSON, where there is such',
    JSON.rawJSON ? { a: JSON.rawJSON('1e1000'), b: JSON.rawJSON('"s"') } : 'there is none'],
  ['a boxed symbol', { symbol: Object(Symbol('s')) }],
  ['a bigint', { a: 1n }],
  ['a boxed bigint', [Object(1n)]],
  ['a circle', circle()],
  ['a circle through toJSON', (() => { const object = { toJSON: () => ({ object }) }; return object; })()],
  ['a getter that throws', { a: 1, get b() { throw new EvalError('not today'); } }],
  ['toJSON that throws', { a: { toJSON() { throw new EvalError('not today'); } } }],
  ['a toJSON getter that throws', { get toJSON() { throw new EvalError('not today'); } }],
  ['a Proxy that throws', new Proxy({}, { ownKeys() { throw new EvalError('not today'); } })],
  ['a revoked Proxy', [revoked()]],
  ['something thrown that is no error', { get a() { throw 'a word'; } }],
  ['a member that cannot be a number',
    { a: Object.assign(new Number(1), { valueOf() { throw new EvalError('not today'); } }) }],
  ['a hundred thousand levels', deep(100_000, (value) => [value])],
];

function errors() {
  const strange = new Error('strange');
  strange.name = 'Strange';
  const numeric = new Error('x');
  numeric.message = 7;
  return [
    ...[EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Type) => [
      Type.name,
      new Type(`of ${Type.name}`),
    ]),
    ['an Error with a cause', new Error('outer', { cause: new TypeError('inner') })],
    ['an AggregateError', new AggregateError([new Error('one')], 'several')],
    ['an Error with another name', strange],
    ['an Error with a message that is no string', numeric],
    ['an Error without a stack', Object.defineProperty(new Error('bare'), 'stack', { value: undefined })],
    [
      'an Error of a class',
      new (class Own extends Error {
        extra = 1;
      })('own'),
    ],
    ['an Error of Node', Object.assign(new TypeError('coded'), { code: 'ERR_X' })],
  ];
}

function buffers() {
  const buffer = Uint8Array.from({ length: 64 }, (_, i) => i).buffer;
  return [
    ['an ArrayBuffer', buffer.slice(0, 8)],
    ['an empty ArrayBuffer', new ArrayBuffer(0)],
    [
      'every typed array',
      [
        Int8Array,
        Uint8Array,
        Uint8ClampedArray,
        Int16Array,
        Uint16Array,
        Int32Array,
        Uint32Array,
        Float32Array,
        Float64Array,
        BigInt64Array,
        BigUint64Array,
      ].map((Type) => new Type(buffer, 8, 2)),
    ],
    [
      'a Float16Array, where there is one',
      globalThis.Float16Array ? new Float16Array([1.5, -0, 65504]) : 'there is none',
    ],
    ['empty views', [new Uint8Array(0), new DataView(new ArrayBuffer(0)), Buffer.alloc(0)]],
    ['a DataView', new DataView(buffer, 3, 5)],
    ['a part of a Buffer', Buffer.from('a part of a Buffer').subarray(2, 6)],
    ['views of one buffer', [new Uint8Array(buffer, 0, 4), new Uint8Array(buffer, 2, 4), buffer.slice(0, 4)]],
    [
      'odd offsets',
      { a: 'x', b: new Float64Array([1.5]), c: 'xyz', d: new Uint32Array([7]), e: new Uint16Array([1, 2]) },
    ],
    ['a class of Uint8Array', new (class Mine extends Uint8Array {})([1, 2])],
    ['a class of Buffer', Object.setPrototypeOf(Buffer.from('mine'), class extends Buffer {}.prototype)],
    ['a Buffer with properties', Object.assign(Buffer.from('x'), { extra: 1 })],
    ['a resizable ArrayBuffer', new ArrayBuffer(4, { maxByteLength: 8 })],
    ['a view of a resizable ArrayBuffer', new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 }))],
    [
      'typed arrays of another realm',
      vm.runInNewContext('[new Uint8Array([1, 2]), new DataView(new ArrayBuffer(2)), new ArrayBuffer(2)]'),
    ],
    ['a SharedArrayBuffer', new SharedArrayBuffer(4)],
    ['a view of a SharedArrayBuffer', new Uint8Array(new SharedArrayBuffer(4))],
    ['a detached ArrayBuffer', detached()],
  ];
}

// prettier-ignore
const advanced = () => [
  ...strings(),
  ...numbers(),
  ...objects().filter(([label]) => !/toJSON|generator/.test(label)),
  ...errors(),
  ...buffers(),
  ['undefined within', { a: undefined, list: [undefined] }],
  ['bigints', { a: 0n, b: -1n, c: 2n ** 64n, d: -(2n ** 200n), e: Object(7n) }],
  ['a RegExp with a state', Object.assign(/x/y, { lastIndex: 3 })],
  ['a circle', circle()],
  ['a Map and a Set that hold themselves', circleOfCollections()],
  ['a Map that is changed while it is read', changedWhileRead()],
  ['toJSON is not asked', { a: 1, date: new Date(1) }],
  ['an Array of a class', new (class Mine extends Array {})(1, 2, 3)],
  ['an object with a tag', { [Symbol.toStringTag]: 'Tagged', a: 1 }],
  ['a function', () => {}],
  ['a function within', { list: [function named() {}] }],
  ['a class within', { Point }],
  ['a symbol', { a: Symbol('s') }],
  ['a boxed symbol', [Object(Symbol('s'))]],
  ['a Promise', { a: Promise.resolve(1) }],
  ['a WeakMap', { a: new WeakMap() }],
  ['a WeakSet', [new WeakSet()]],
  ['a WeakRef', [new WeakRef({})]],
  ['a Proxy', new Proxy({ a: 1 }, {})],
  ['a Proxy of an array', { list: new Proxy([1], {}) }],
  ['a generator', { generator: (function* () {})() }],
  ['a getter that throws', { get a() { throw new EvalError('not today'); } }],
  ['something thrown that is no error', { get a() { throw 'a word'; } }],
  ['a bound function', { a: (() => {}).bind(null) }],
  ['an iterator', { a: [1][Symbol.iterator]() }],
  ['objects of Node',
    { emitter: Object.keys(new (require('node:events').EventEmitter)()).length, params: new URLSearchParams('a=b') }],
  ['a MessagePort', new MessageChannel().port1],
  ['an AbortSignal', { signal: new AbortController().signal }],
  ['a Blob', { blob: new Blob(['x']) }],
  ['a key', { key: require('node:crypto').createSecretKey(Buffer.from('k')) }],
  ['a DOMException', { error: new DOMException('message', 'DataError') }],
  ['a hundred thousand levels', deep(100_000, (value) => [value])],
];

module.exports = { advanced, json, show };
