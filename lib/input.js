'use strict';

// What is written to a child's standard input in one go.

const { hooks } = require('./errors');

const EXPECTED = 'of type string or an instance of Buffer, TypedArray, or DataView';

/** `options.input` as bytes; a string is encoded. */
function toBytes(input, encoding) {
  if (typeof input === 'string') return Buffer.from(input, encoding);
  if (ArrayBuffer.isView(input)) {
    // A DataView of a buffer that was transferred does not tell where it begins.
    const isEmpty = input.buffer.byteLength === 0;
    return isEmpty ? new Uint8Array(0) : new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  }
  throw hooks.invalidType('options.stdio[0]', EXPECTED, input);
}

/** Whether `input` is something that can be written. */
function isInput(input) {
  return typeof input === 'string' || ArrayBuffer.isView(input);
}

module.exports = { isInput, toBytes };
