'use strict';

// The advanced serialization of object graphs: V8's, with views of bytes as they are and other host objects as plain ones
// (Node.js documentation, «Advanced serialization»). Natively, by V8's own interface, where that is a known one.

const { Buffer } = require('node:buffer');
const { isArrayBuffer: isAnyArrayBuffer } = require('node:util/types');

// NODE_MODULE_VERSION of Node 20, 22, 24 and 26: what the interface of V8 was tried with (`src/v8`).
const KNOWN_ENGINES = ['115', '127', '137', '147'];

const isKnownEngine =
  KNOWN_ENGINES.includes(process.versions.modules) && process.env.CHILD_PROCESS_RS_SERIALIZER !== 'node';

// What follows in the stream.
const VIEW = 0;
const PLAIN = 1;

// Node's numbers for the classes of views.
const BUFFER = 10;
const NUMBERS = {
  '[object Int8Array]': 0,
  '[object Uint8Array]': 1,
  '[object Uint8ClampedArray]': 2,
  '[object Int16Array]': 3,
  '[object Uint16Array]': 4,
  '[object Int32Array]': 5,
  '[object Uint32Array]': 6,
  '[object Float32Array]': 7,
  '[object Float64Array]': 8,
  '[object DataView]': 9,
  '[object BigInt64Array]': 11,
  '[object BigUint64Array]': 12,
  '[object Float16Array]': 13,
};

/** The number of a view's class; any other host object as a plain one. */
function describe(object) {
  if (!ArrayBuffer.isView(object)) return { ...object };
  if (object.constructor === Buffer) return BUFFER;
  const number = NUMBERS[Object.prototype.toString.call(object)];
  if (number === undefined) throw new Error(`Unserializable host object: ${require('node:util').inspect(object)}`);
  return number;
}

let classes;

/** The classes of `node:v8` for any other engine, made when they are needed first. */
function classesOfNode() {
  const v8 = require('node:v8');
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
  return (classes = { Serializer, Deserializer });
}

/** The bytes of `value`, with V8's header. Throws an error for what cannot be cloned. */
function serialize(value) {
  const { Serializer } = classes ?? classesOfNode();
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

/** The value of `bytes`. Views in it share their memory. */
function deserialize(bytes) {
  const { Deserializer } = classes ?? classesOfNode();
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

module.exports = { deserialize, describe, isArrayBuffer, isBuffer, isKnownEngine, serialize };
