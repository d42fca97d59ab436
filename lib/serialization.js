'use strict';

// The advanced serialization by `node:v8`, where V8's own interface is not a known one (`src/v8`), and for views of
// classes that N-API cannot make: views of bytes as they are and other host objects as plain ones (Node.js
// documentation, «Advanced serialization»).

// What follows in the stream.
const VIEW = 0;
const PLAIN = 1;

let classes;

/** The classes of `node:v8`, made when they are needed first. */
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

module.exports = { deserialize, serialize };
