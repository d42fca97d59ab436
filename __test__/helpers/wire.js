'use strict';

// Both ends of a channel whose other end is `cat`, so that the bytes themselves can be looked at, and what the builtin
// would write and read there.

const assert = require('node:assert/strict');
const v8 = require('node:v8');

const { OURS } = require('../parity/pairings');

const ours = require(OURS);

const frame = (bytes) => {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(bytes.length);
  return Buffer.concat([prefix, bytes]);
};

// The builtin's own, which cannot be had (lib/internal/child_process/serialization.js of Node).
class Serializer extends v8.DefaultSerializer {
  _writeHostObject(object) {
    this.writeUint32(ArrayBuffer.isView(object) ? 0 : 1);
    return ArrayBuffer.isView(object) ? super._writeHostObject(object) : this.writeValue({ ...object });
  }
}

class Deserializer extends v8.DefaultDeserializer {
  _readHostObject() {
    return this.readUint32() === 0 ? super._readHostObject() : this.readValue();
  }
}

function serialize(value) {
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

function deserialize(bytes) {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

const MODES = {
  json: {
    encode: (value) => Buffer.from(`${JSON.stringify(value)}\n`),
    decode: (bytes) => JSON.parse(String(bytes)),
    /** Each message with what separates it from the next. */
    *split(bytes) {
      for (let from = 0, to; from < bytes.length; from = to) {
        to = bytes.indexOf(10, from) + 1;
        yield bytes.subarray(from, to);
      }
    },
    content: (message) => message.subarray(0, -1),
  },
  advanced: {
    encode: (value) => frame(serialize(value)),
    decode: deserialize,
    *split(bytes) {
      for (let from = 0, to; from < bytes.length; from = to) {
        to = from + 4 + bytes.readUInt32BE(from);
        yield bytes.subarray(from, to);
      }
    },
    content: (message) => message.subarray(4),
  },
};

/** A channel whose other end copies every byte to `written`. */
class Writer {
  #mode;
  #bytes = [];
  #count = 0;
  #wake;

  constructor(t, serialization) {
    this.#mode = MODES[serialization];
    this.child = ours.spawn('cat', [], { stdio: ['ipc', 'pipe', 'inherit'], serialization });
    this.child.stdout.on('data', (bytes) => {
      this.#bytes.push(bytes);
      this.#wake?.();
    });
    t.teardown(() => this.child.kill('SIGKILL'));
  }

  /** Sends `values` and gives the bytes of each. */
  async write(values) {
    for (const value of values) this.child.send(value);
    const last = `the end of run ${this.#count++}`;
    this.child.send(last);
    const end = this.#mode.encode(last);
    for (;;) {
      const bytes = Buffer.concat(this.#bytes);
      if (bytes.length >= end.length && bytes.subarray(-end.length).equals(end)) {
        this.#bytes = [];
        const written = [...this.#mode.split(bytes.subarray(0, -end.length))];
        assert.equal(written.length, values.length);
        return written;
      }
      this.#bytes = [bytes];
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A channel whose other end says what it is told, byte for byte. */
class Reader {
  #mode;
  #heard = [];
  #count = 0;
  #wake;

  constructor(t, serialization) {
    this.#mode = MODES[serialization];
    this.child = ours.spawn('cat', [], { stdio: ['pipe', 'ipc', 'inherit'], serialization });
    for (const event of ['message', 'internalMessage', 'error']) {
      this.child.on(event, (value) => {
        this.#heard.push([event, value]);
        this.#wake?.();
      });
    }
    t.teardown(() => this.child.kill('SIGKILL'));
  }

  /** Has the channel read `pieces`, apart from one another where `pauses`; gives the events that come of them. */
  async read(pieces, pauses) {
    for (const piece of pieces) {
      this.child.stdin.write(piece);
      if (pauses) await new Promise((resolve) => setImmediate(resolve));
    }
    const last = `the end of run ${this.#count++}`;
    this.child.stdin.write(this.#mode.encode(last));
    while (this.#heard.at(-1)?.[1] !== last)
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    return this.#heard.splice(0).slice(0, -1);
  }
}

module.exports = { MODES, Reader, Writer, deserialize, serialize };
