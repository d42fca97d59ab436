'use strict';

// Turns any value into plain JSON data that says everything a program could observe about it, so that the two sides,
// which live in two processes, can be compared with deepEqual and a difference reads well in ava's diff.

const { createHash } = require('node:crypto');
const { EventEmitter } = require('node:events');

const LONG = 600;
const MAX_DEPTH = 14;

function describeBytes(bytes) {
  if (bytes.length <= LONG) return { bytes: bytes.toString('latin1') };
  return { bytes: `${bytes.length} bytes, sha1 ${createHash('sha1').update(bytes).digest('hex')}` };
}

function className(value) {
  const proto = Object.getPrototypeOf(value);
  return proto === null ? '[null prototype]' : (proto.constructor?.name ?? '?');
}

// Symbol keys are left out: the builtin marks its errors with a private symbol that no code outside Node can test for.
// So is a toString of their own, which some of them carry; what it gives is compared as `string`.
function describeError(error, depth) {
  const own = {};
  for (const key of Object.getOwnPropertyNames(error)) {
    if (key === 'toString') continue;
    const { enumerable } = Object.getOwnPropertyDescriptor(error, key);
    const label = enumerable ? key : `${key} (hidden)`;
    own[label] = key === 'stack' ? String(error.stack).split('\n')[0] : describe(error[key], depth + 1);
  }
  return { error: className(error), name: error.name, string: String(error), own };
}

function describeObject(value, depth) {
  if (depth >= MAX_DEPTH) return `[${className(value)}]`;
  if (value instanceof Error) return describeError(value, depth);
  if (Buffer.isBuffer(value)) return describeBytes(value);
  if (ArrayBuffer.isView(value) || value instanceof EventEmitter) return `[${className(value)}]`;
  if (Array.isArray(value)) return Array.from(value, (item) => describe(item, depth + 1));

  const name = className(value);
  const entries = {};
  if (name !== 'Object') entries['[class]'] = name;
  for (const key of Object.keys(value)) entries[key] = describe(value[key], depth + 1);
  return entries;
}

function describe(value, depth = 0) {
  switch (typeof value) {
    case 'undefined':
      return '[undefined]';
    case 'boolean':
      return value;
    case 'string':
      return value.length <= LONG ? value : describeBytes(Buffer.from(value));
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : `[number ${Object.is(value, -0) ? '-0' : value}]`;
    case 'bigint':
      return `[bigint ${value}]`;
    case 'symbol':
      return `[${String(value)}]`;
    case 'function':
      return `[function ${value.name}]`;
    default:
      return value === null ? null : describeObject(value, depth);
  }
}

module.exports = { describe };
