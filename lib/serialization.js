'use strict';

// The advanced serialization of object graphs: V8's, with views of bytes as they are and other host objects as plain ones
// (Node.js documentation, «Advanced serialization»).

const { Buffer } = require('node:buffer');
const { isArrayBuffer: isAnyArrayBuffer, isProxy } = require('node:util/types');
const v8 = require('node:v8');

// What follows in the stream.
const VIEW = 0;
const PLAIN = 1;

class Serializer extends v8.DefaultSerializer {
  _writeHostObject(object) {
    const isView = ArrayBuffer.isView(object);
    this.writeUint32(isView ? VIEW : PLAIN);
    return isView ? super._writeHostObject(object) : this.writeValue({ ...object });
  }
}

class Deserializer extends v8.DefaultDeserializer {
  _readHostObject() {
    return this.readUint32() === VIEW ? super._readHostObject() : this.readValue();
  }
}

/** The bytes of `value`, with V8's header. Throws a DataCloneError for what cannot be cloned. */
function serialize(value) {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

/** The value of `bytes`. Views in it share their memory. */
function deserialize(bytes) {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

/** Whether it is a Buffer, and not of a class derived from it. */
function isBuffer(message) {
  return message.constructor === Buffer && Buffer.isBuffer(message);
}

/** Whether it is an ArrayBuffer of a fixed length that has not been given away. */
function isArrayBuffer(message) {
  return isAnyArrayBuffer(message) && !message.resizable && !message.detached && message.byteLength > 0;
}

// More objects, or more values in one of them, or longer texts, and V8's own serializer is faster.
const FEW = 32;
const SHORT = 64;

/**
 * A copy of a message of which JSON.stringify tells all that V8's serializer would: a small tree of plain objects and dense
 * arrays with nothing but texts, finite numbers, booleans and null in it, each object once. Undefined for any other.
 * A copy, so that getters are called once.
 */
function copyOfTree(message) {
  return copyOfObject(message, []);
}

function copyOfObject(object, seen) {
  if (seen.length === FEW || seen.includes(object) || isProxy(object)) return undefined;
  seen.push(object);
  const prototype = Object.getPrototypeOf(object);
  if (prototype === Array.prototype) return copyOfArray(object, seen);
  if (prototype !== Object.prototype || 'toJSON' in object) return undefined;
  const copy = {};
  const names = Object.keys(object);
  if (names.length > FEW) return undefined;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    // A name that is an integer is serialised as a number; this one would not become a property.
    const first = name.charCodeAt(0);
    if ((first >= 48 && first <= 57) || name === '__proto__') return undefined;
    const value = copyOf(object[name], seen);
    if (value === undefined) return undefined;
    copy[name] = value;
  }
  return copy;
}

function copyOfArray(array, seen) {
  const { length } = array;
  if (length > FEW || 'toJSON' in array || Object.keys(array).length !== length) return undefined;
  const copy = [];
  for (let i = 0; i < length; i++) {
    const value = copyOf(array[i], seen);
    if (value === undefined) return undefined;
    copy.push(value);
  }
  return copy;
}

function copyOf(value, seen) {
  switch (typeof value) {
    case 'string':
      return value.length <= SHORT ? value : undefined;
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : undefined;
    case 'object':
      return value === null ? null : copyOfObject(value, seen);
    default:
      return undefined;
  }
}

module.exports = { copyOfTree, deserialize, isArrayBuffer, isBuffer, serialize };
