'use strict';

// Trees that V8 has serialised, as what they are written of. One tree can have several forms, and which one V8 chooses
// rests on how it keeps the value at that moment: an integer as a double, in a property that has held doubles; a narrow
// text in wide units; an array by its indices, if it might have holes. Two structures are equal if nothing but that
// differs.

const TAGS = { 0x30: null, 0x54: true, 0x46: false };
const PADDING = 0;

class Reader {
  #bytes;
  #at = 2;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  get isAtEnd() {
    return this.#at === this.#bytes.length;
  }

  varint() {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }

  text(length, encoding) {
    this.#at += length;
    return this.#bytes.toString(encoding, this.#at - length, this.#at);
  }

  tag() {
    do this.#at++;
    while (this.#bytes[this.#at - 1] === PADDING);
    return this.#bytes[this.#at - 1];
  }

  value(tag = this.tag()) {
    if (tag in TAGS) return TAGS[tag];
    switch (String.fromCharCode(tag)) {
      case '"':
        return this.text(this.varint(), 'latin1');
      case 'c':
        return this.text(this.varint(), 'utf16le');
      case 'I':
        return this.integer();
      case 'N':
        this.#at += 8;
        return this.#bytes.readDoubleLE(this.#at - 8);
      case 'o':
        return { object: this.members('{') };
      case 'A':
        return this.dense(this.varint());
      case 'a':
        return { array: this.varint(), elements: this.members('@'), length: this.varint() };
      default:
        throw new Error(`no tree has the tag ${tag}`);
    }
  }

  integer() {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Names and values up to the tag `end`, and how many it says they were. */
  members(end) {
    const list = [];
    for (let tag = this.tag(); tag !== end.charCodeAt(0); tag = this.tag()) list.push([this.value(tag), this.value()]);
    return { list, count: this.varint() };
  }

  dense(array) {
    const list = Array.from({ length: array }, (_, i) => [i, this.value()]);
    const { list: named, count } = this.members('$');
    return { array, elements: { list: [...list, ...named], count: count + array }, length: this.varint() };
  }
}

/** What `bytes` are written of: names and values in their order, and the counts beside them. */
function structureOf(bytes) {
  const reader = new Reader(bytes);
  const structure = { header: bytes.toString('hex', 0, 2), value: reader.value() };
  if (!reader.isAtEnd) throw new Error('something follows the value');
  return structure;
}

module.exports = { structureOf };
