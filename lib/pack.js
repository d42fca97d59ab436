'use strict';

// What two native ends send each other in place of a JSON text: the same value, in bytes that take a fraction of the time to
// read (docs/protocol.md, docs/decisions/packed-messages.md). The names of an object's properties are told once on a channel.

const { isBooleanObject, isBoxedPrimitive, isNumberObject, isStringObject, isSymbolObject } = require('node:util/types');

const [NULL, TRUE, FALSE, UINT16, INT32, DOUBLE, ASCII, UTF16, ARRAY, RECORD, DEFINE, OBJECT, ABSENT] = Array(13).keys();
// An integer of six bits, and an ASCII string of five bits' length, in the tag itself.
const SMALL = 0x40;
const SHORT = 0x80;
const SHORTEST_LONG = 32;
// A string whose length in UTF-8 is better known than guessed.
const LONG = 4096;

// Before each message: what no JSON text begins with, and its length.
const MARK = 1;
const HEADER = 5;

// Deeper ones may be circular; as text they are told as the engine tells them.
const DEEPEST = 100;
// Longer arrays may be mostly holes.
const LONGEST_ARRAY = 1 << 20;
// Objects with more properties are rather maps, and so are those whose names are seen once.
const MOST_NAMES = 32;
// What one end remembers of names: so many sets of them, each so long altogether.
const MOST_SHAPES = 1024;
const LONGEST_NAMES = 1024;
const MOST_NODES = 8192;
// Memory is kept for messages like the last ones.
const KEPT = 64 * 1024;
const FEW = 64;

// What `pack` gives where a message is to go as text: as JSON.stringify has it, or the word «undefined».
const AS_TEXT = -1;
const UNDEFINED = -2;

const { isArray } = Array;
const { getPrototypeOf, keys } = Object;
const isRawJson = JSON.isRawJSON ?? (() => false);

// ── Writing. One message at a time, into memory that all channels share.

const output = { bytes: Buffer.allocUnsafeSlow(KEPT) };
let bytes = output.bytes;
let view = new DataView(bytes.buffer);
let at = 0;
let isWriting = false;
// How many messages have left most of the memory unused.
let unused = 0;
// Whose shapes are used, and those that the message has defined.
let writer;
const defined = [];

// Thrown where a message is to go as text.
const UNUSUAL = Symbol('unusual');

function replace(size) {
  const old = bytes;
  bytes = Buffer.allocUnsafeSlow(size);
  old.copy(bytes, 0, 0, Math.min(at, size));
  output.bytes = bytes;
  view = new DataView(bytes.buffer);
}

function reserve(size) {
  if (bytes.length - at < size) replace(Math.max(bytes.length * 2, at + size));
}

function writeTag(tag) {
  reserve(1);
  bytes[at++] = tag;
}

function writeLength(tag, length) {
  reserve(5);
  bytes[at] = tag;
  view.setUint32(at + 1, length, true);
  at += 5;
}

function writeNumber(number) {
  reserve(9);
  if ((number | 0) === number) {
    if (number >= 0 && number < 64) {
      bytes[at++] = SMALL | number;
    } else if (number >= 0 && number < 65536) {
      bytes[at] = UINT16;
      bytes[at + 1] = number;
      bytes[at + 2] = number >>> 8;
      at += 3;
    } else {
      bytes[at] = INT32;
      view.setInt32(at + 1, number, true);
      at += 5;
    }
  } else if (number - number === 0) {
    writeDouble(number);
  } else {
    bytes[at++] = NULL;
  }
}

function writeDouble(number) {
  reserve(9);
  bytes[at] = DOUBLE;
  view.setFloat64(at + 1, number, true);
  at += 9;
}

function writeString(string) {
  const { length } = string;
  if (length >= SHORTEST_LONG) return writeLong(string);
  reserve(SHORTEST_LONG);
  let end = at;
  bytes[end++] = SHORT | length;
  for (let i = 0; i < length; i++) {
    const unit = string.charCodeAt(i);
    if (unit > 127) return writeLong(string);
    bytes[end++] = unit;
  }
  at = end;
}

function writeLong(string) {
  const { length } = string;
  // Most are ASCII, and not so long that asking first were worth it.
  reserve(5 + (length > LONG ? Buffer.byteLength(string) : length * 3));
  const start = at + 5;
  if (bytes.utf8Write(string, start) === length) {
    writeLength(ASCII, length);
    at += length;
  } else {
    // As it is, with surrogates that are alone.
    writeLength(UTF16, length * 2);
    reserve(length * 2);
    at += bytes.ucs2Write(string, at);
  }
}

// Of what `write` was asked to, where JSON.stringify leaves it out.
const LEFT_OUT = false;

/**
 * Writes the value of a property as JSON.stringify would, or gives `LEFT_OUT`. An object may be of the shape `guess`; gives its
 * shape, if it has one.
 */
function write(value, key, depth, guess) {
  if (typeof value === 'string') {
    writeString(value);
    return undefined;
  }
  if (typeof value === 'number') {
    writeNumber(value);
    return undefined;
  }
  if ((typeof value === 'object' && value !== null) || typeof value === 'function' || typeof value === 'bigint') {
    const { toJSON } = value;
    if (typeof toJSON === 'function') return writeConverted(toJSON.call(value, String(key)), depth, guess);
  }
  return writeConverted(value, depth, guess);
}

/** The same, of what toJSON gave where there is one. */
function writeConverted(value, depth, guess) {
  if (typeof value === 'object') {
    if (value === null) writeTag(NULL);
    else if (isArray(value)) writeArray(value, depth);
    else return writeAnyObject(value, depth, guess);
  } else if (typeof value === 'string') {
    writeString(value);
  } else if (typeof value === 'number') {
    writeNumber(value);
  } else if (typeof value === 'boolean') {
    writeTag(value ? TRUE : FALSE);
  } else if (typeof value === 'bigint') {
    // It throws what is to be thrown.
    return writeConverted(JSON.stringify(value), depth);
  } else {
    return LEFT_OUT;
  }
  return undefined;
}

function writeArray(array, depth) {
  const { length } = array;
  if (depth === DEEPEST || !(length >= 0 && length <= LONGEST_ARRAY)) throw UNUSUAL;
  writeLength(ARRAY, length);
  let guess;
  for (let i = 0; i < length; i++) {
    const shape = write(array[i], i, depth + 1, guess);
    if (shape === LEFT_OUT) writeTag(NULL);
    else guess = shape;
  }
}

function writeAnyObject(object, depth, guess) {
  if (getPrototypeOf(object) !== Object.prototype) {
    if (isBoxedPrimitive(object) && !isSymbolObject(object)) return writeConverted(unboxed(object), depth);
    if (isRawJson(object)) return writeRaw(JSON.parse(object.rawJSON));
  }
  return writeObject(object, depth, guess);
}

/** What the program has given the text of, which may say what no number's own text does: `-0`, `1e1000`. */
function writeRaw(value) {
  if (typeof value !== 'number') return writeConverted(value);
  writeDouble(value);
  return undefined;
}

function unboxed(object) {
  if (isNumberObject(object)) return Number(object);
  if (isStringObject(object)) return String(object);
  return (isBooleanObject(object) ? Boolean : BigInt).prototype.valueOf.call(object);
}

function writeObject(object, depth, guess) {
  if (depth === DEEPEST) throw UNUSUAL;
  const names = keys(object);
  const shape = guess !== undefined && guess.has(names) ? guess : writer.shapeOf(names);
  if (shape === undefined) {
    writeRecord(object, names, depth);
    return undefined;
  }
  reserve(3);
  bytes[at] = OBJECT;
  bytes[at + 1] = shape.id;
  bytes[at + 2] = shape.id >>> 8;
  at += 3;
  shape.write(object, depth);
  return shape;
}

/** Writes an object with its names. */
function writeRecord(object, names, depth) {
  writeLength(RECORD, 0);
  const start = at;
  let count = 0;
  for (const name of names) {
    const before = at;
    writeString(name);
    const value = object[name];
    if (depth === 0) refuseInternal(name, value);
    if (write(value, name, depth + 1) === LEFT_OUT) at = before;
    else count++;
  }
  view.setUint32(start - 4, count, true);
}

/** Internal messages go as text. */
function refuseInternal(name, value) {
  if (name === 'cmd' && typeof value === 'string' && value.startsWith('NODE_')) throw UNUSUAL;
}

/** Names that the other end is told of, in the order that objects have them. */
class Shape {
  // 0: it is not told any more.
  id;
  #names;
  // The shapes that the properties had the last time.
  #guesses;
  #times = 0;
  #body;

  constructor(id, names) {
    this.id = id;
    this.#names = names;
    this.#guesses = Array(names.length).fill(undefined);
  }

  has(names) {
    const own = this.#names;
    if (this.id === 0 || names.length !== own.length) return false;
    for (let i = 0; i < own.length; i++) if (names[i] !== own[i]) return false;
    return true;
  }

  /** Writes the values of an object that has these names. */
  write(object, depth) {
    if (this.#body !== undefined) this.#body(object, depth, this.#guesses);
    else this.#writeEach(object, depth);
  }

  #writeEach(object, depth) {
    const names = this.#names;
    if (++this.#times === OFTEN) this.#body = bodyOf(names);
    for (let i = 0; i < names.length; i++) {
      const value = object[names[i]];
      if (depth === 0) refuseInternal(names[i], value);
      const shape = write(value, names[i], depth + 1, this.#guesses[i]);
      if (shape === LEFT_OUT) writeTag(ABSENT);
      else this.#guesses[i] = shape;
    }
  }
}

/** One text for these names and no others, in which no `toJSON` of the program's has a say. */
function idOf(names) {
  let id = '';
  for (let i = 0; i < names.length; i++) id += `${names[i].length}:${names[i]}`;
  return id;
}

// The engine's own code for objects with names that come often, for all channels.
const OFTEN = 8;
const MOST_BODIES = 4096;
const bodies = new Map();

/** A function that writes the values of an object with these names; undefined where there are too many, or no code may be made. */
function bodyOf(names) {
  const id = idOf(names);
  if (!bodies.has(id) && bodies.size < MOST_BODIES) bodies.set(id, compileBody(names));
  return bodies.get(id);
}

function compileBody(names) {
  const property = (name, i) => {
    const key = JSON.stringify(name);
    return `
      value = object[${key}];
      ${name === 'cmd' ? 'if (depth === 0) refuseInternal("cmd", value);' : ''}
      if (typeof value === 'string') writeString(value);
      else if (typeof value === 'number') writeNumber(value);
      else if ((shape = write(value, ${key}, depth + 1, guesses[${i}])) === ${LEFT_OUT}) writeTag(${ABSENT});
      else guesses[${i}] = shape;`;
  };
  const code = `return (object, depth, guesses) => {
    let value, shape;
    ${names.map(property).join('')}
  }`;
  return evaluate(code, { write, writeString, writeNumber, writeTag, refuseInternal });
}

/** What the body of a function gives in which these names stand for these values; undefined where no code may be made. */
function evaluate(body, values) {
  try {
    return new Function(...keys(values), body)(...Object.values(values));
  } catch {
    // --disallow-code-generation-from-strings
    return undefined;
  }
}

function areShort(names) {
  let length = 0;
  for (let i = 0; i < names.length; i++) length += names[i].length;
  return length <= LONGEST_NAMES;
}

/** Knows which names the other end of a channel has been told of. */
class Packer {
  // A tree of names, in the order that objects have them.
  #root = { shape: undefined, isSeen: false, next: undefined };
  // That of the last message.
  #guess;
  /** Whether the last message has told names. */
  hasTold = false;
  #shapes = 0;
  #nodes = 0;

  /**
   * Writes a message, which is an object, to `output.bytes`: what JSON.parse(JSON.stringify(message)) gives. Returns its length, or one
   * of the above. Throws what JSON.stringify throws.
   */
  pack(message) {
    // A getter, or a toJSON, is sending something else.
    if (isWriting) return AS_TEXT;
    isWriting = true;
    writer = this;
    at = 0;
    let isPacked = false;
    try {
      const shape = write(message, '', 0, this.#guess);
      isPacked = shape !== LEFT_OUT;
      if (!isPacked) return UNDEFINED;
      this.#guess = shape;
      return at;
    } catch (error) {
      if (error === UNUSUAL) return AS_TEXT;
      throw error;
    } finally {
      isWriting = false;
      this.hasTold = defined.length > 0;
      if (this.hasTold) this.#settle(isPacked);
      this.#shrink();
    }
  }

  /** What a message has told that is not sent is still to be told, by the same numbers. */
  #settle(isPacked) {
    if (!isPacked) {
      for (const node of defined) {
        node.shape.id = 0;
        node.shape = undefined;
      }
      this.#shapes -= defined.length;
    }
    defined.length = 0;
  }

  #shrink() {
    unused = at * 4 > bytes.length || bytes.length === KEPT ? 0 : unused + 1;
    // What has been written is still to be read.
    if (unused > FEW && at <= KEPT) replace(KEPT);
  }

  /** The shape of these names, of which the other end is told before; undefined: it has none. */
  shapeOf(names) {
    if (names.length > MOST_NAMES) return undefined;
    let node = this.#root;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      let next = node.next?.get(name);
      if (next === undefined) {
        if (this.#nodes === MOST_NODES) return undefined;
        this.#nodes++;
        next = { shape: undefined, isSeen: false, next: undefined };
        (node.next ??= new Map()).set(name, next);
      }
      node = next;
    }
    if (node.shape === undefined && node.isSeen && this.#shapes < MOST_SHAPES && areShort(names)) this.#define(node, names);
    node.isSeen = true;
    return node.shape;
  }

  #define(node, names) {
    const id = ++this.#shapes;
    node.shape = new Shape(id, names);
    defined.push(node);
    reserve(4);
    bytes[at] = DEFINE;
    bytes[at + 1] = id;
    bytes[at + 2] = id >>> 8;
    bytes[at + 3] = names.length;
    at += 4;
    for (const name of names) writeString(name);
  }
}

// ── Reading. Nothing of the program runs meanwhile.

let input;
// The Buffer of the last input, mostly the same.
let viewed;
let inputView;
// All of the input, one character a byte, once a short string is to be cut out of it.
let text;
let whole = 0;
let position = 0;
let end = 0;
let reader;
// How many properties that are absent have been read and not been taken out yet.
let absent = 0;

const NOTHING = Symbol('absent');
// Inputs that are longer are not turned into one string.
const LONGEST_TEXT = 1 << 24;
// The engine copies parts of strings that are shorter, and only those: a longer one would keep all of the input alive.
const COPIED = 12;

function broken() {
  return new SyntaxError('it is no packed message');
}

function readLength() {
  const length = inputView.getUint32(position, true);
  position += 4;
  if (length > end - position) throw broken();
  return length;
}

function readShort(length) {
  const start = position;
  position += length;
  if (text === undefined) {
    if (whole > LONGEST_TEXT) return input.latin1Slice(start, position);
    text = input.latin1Slice(0, whole);
  }
  if (length <= COPIED) return text.substring(start, position);
  const middle = start + COPIED;
  const first = text.substring(start, middle);
  if (length <= COPIED * 2) return first + text.substring(middle, position);
  return first + text.substring(middle, middle + COPIED) + text.substring(middle + COPIED, position);
}

function readLong(tag) {
  const length = readLength();
  const start = position;
  position += length;
  return tag === ASCII ? input.latin1Slice(start, position) : input.ucs2Slice(start, position);
}

function readString() {
  if (position >= end) throw broken();
  const tag = input[position++];
  if (tag >= SHORT) return readShort(tag - SHORT);
  if (tag !== ASCII && tag !== UTF16) throw broken();
  return readLong(tag);
}

function readArray() {
  const length = readLength();
  const array = [];
  for (let i = 0; i < length; i++) array.push(read());
  return array;
}

/** As JSON.parse does it: what is inherited, `__proto__` too, is none of it. */
function setProperty(object, name, value) {
  if (name in object) Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  else object[name] = value;
}

function readRecord() {
  const count = readLength();
  const object = {};
  for (let i = 0; i < count; i++) setProperty(object, readString(), read());
  return object;
}

function readShape() {
  if (end - position < 3) throw broken();
  const id = input[position] | (input[position + 1] << 8);
  const count = input[position + 2];
  position += 3;
  const names = [];
  if (id > MOST_SHAPES || count > MOST_NAMES) throw broken();
  for (let i = 0; i < count; i++) names.push(readString());
  if (!areShort(names)) throw broken();
  reader.define(id, names);
}

function readObject() {
  const make = reader.shapes[input[position] | (input[position + 1] << 8)];
  position += 2;
  if (make === undefined) throw broken();
  const object = make();
  return absent === 0 ? object : withoutAbsent(object);
}

function withoutAbsent(object) {
  const present = {};
  for (const name of keys(object)) {
    if (object[name] === NOTHING) absent--;
    else setProperty(present, name, object[name]);
  }
  return present;
}

function read() {
  if (position >= end) throw broken();
  const tag = input[position++];
  if (tag >= SHORT) return readShort(tag & 0x7f);
  if (tag >= SMALL) return tag & 0x3f;
  switch (tag) {
    case NULL:
      return null;
    case TRUE:
      return true;
    case FALSE:
      return false;
    case UINT16:
      position += 2;
      return input[position - 2] | (input[position - 1] << 8);
    case INT32:
      position += 4;
      return inputView.getInt32(position - 4, true);
    case DOUBLE:
      position += 8;
      return inputView.getFloat64(position - 8, true);
    case ASCII:
    case UTF16:
      return readLong(tag);
    case ARRAY:
      return readArray();
    case RECORD:
      return readRecord();
    case DEFINE:
      readShape();
      return read();
    case OBJECT:
      return readObject();
    case ABSENT:
      absent++;
      return NOTHING;
    default:
      throw broken();
  }
}

// What makes objects of these names, as JSON, for all channels; the engine's own code for it is made for those that come often.
const makers = new Map();
const MOST_MAKERS = 4096;

function maker(names) {
  const id = idOf(names);
  let make = makers.get(id);
  if (make !== undefined) return make;
  let times = 0;
  let compiled;
  make = () => {
    if (compiled !== undefined) return compiled();
    if (++times === OFTEN) compiled = compile(names);
    const object = {};
    for (const name of names) setProperty(object, name, read());
    return object;
  };
  if (makers.size < MOST_MAKERS) makers.set(id, make);
  return make;
}

function compile(names) {
  const properties = names.map((name) => `${name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)}: read()`);
  return evaluate(`return () => ({ ${properties.join(', ')} })`, { read });
}

/** Knows the names that the other end of a channel has told. */
class Unpacker {
  shapes = [];

  define(id, names) {
    this.shapes[id] = maker(names);
  }

  /** The messages in the first `length` bytes of `buffer`. Throws where they are none. */
  unpack(buffer, length) {
    input = buffer;
    if (viewed !== buffer) {
      viewed = buffer;
      inputView = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    }
    whole = length;
    reader = this;
    const messages = [];
    try {
      for (end = 0; end < length; ) {
        const size = length - end < HEADER || buffer[end] !== MARK ? length : inputView.getUint32(end + 1, true);
        position = end + HEADER;
        end = position + size;
        absent = 0;
        if (end > length) throw broken();
        messages.push(read());
        if (position !== end || absent !== 0) throw broken();
      }
    } finally {
      input = undefined;
      text = undefined;
      if (length > KEPT) viewed = undefined;
      reader = undefined;
    }
    return messages;
  }
}

module.exports = { Packer, UNDEFINED, Unpacker, output };
