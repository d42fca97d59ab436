'use strict';

// Advanced serialisation through `node:v8`. It is used on Nodes for which calling V8 directly (`src/v8`) has not been
// tested, and for views that N-API cannot create. As in Node, views are written as host objects, and other host objects
// as plain objects (Node.js documentation, «Advanced serialization»).

// Which kind of host object follows in the stream.
const VIEW = 0;
const PLAIN = 1;

let classes;

/** Creates the serializer classes, when they are first needed. */
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

/** Serialises `value`, with V8's header. Throws if it cannot be cloned. */
function serialize(value) {
  const { Serializer } = classes ?? classesOfNode();
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

/** Deserialises `bytes`. Views in the value share their memory. */
function deserialize(bytes) {
  const { Deserializer } = classes ?? classesOfNode();
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

module.exports = { deserialize, serialize };
