'use strict';

// What is sent. `make(n)` gives the n-th message, a new object as a program would have it; `check(message, n)` throws
// unless it is that one: a wrong answer must not count as a fast one. `burst` messages go out in one tick, and `window`
// bursts at most are under way: enough to keep both processes busy, and a bound on what waits in memory. `bytes`, where
// they are what is counted.

const assert = require('node:assert');

const PAGE = 4096;

/** 34 bytes as JSON. */
function small() {
  return {
    burst: 1000,
    window: 4,
    make: (n) => ({ t: 'm', id: n, s: 'xxxxxx' }),
    check(message, n) {
      if (message.id !== n || message.s !== 'xxxxxx') assert.fail(`${JSON.stringify(message)} where ${n} was due`);
    },
  };
}

function strings() {
  const texts = Array.from({ length: 16 }, (_, i) => `${i} `.padEnd(100, 'abcdefghij'));
  return {
    burst: 500,
    window: 4,
    make: (n) => texts[n % texts.length],
    check(message, n) {
      if (message !== texts[n % texts.length]) assert.fail(`${message} where ${n} was due`);
    },
  };
}

/** About 1 kB as JSON: strings, numbers, a list, an object inside. */
function kilobyte() {
  const text = 'The quick brown fox jumps over the lazy dog. '.repeat(12);
  return {
    burst: 100,
    window: 4,
    make: (n) => ({
      id: n,
      type: 'order.created',
      at: 1_700_000_000_000 + n,
      customer: { id: 4711, name: 'Ada Lovelace', email: 'ada@example.org', isActive: true, credit: 1234.56 },
      address: { street: "12 St James's Square", city: 'London', postcode: 'SW1Y 4JH', country: 'GB' },
      tags: ['analytical', 'engine', 'first', 'programmer'],
      amounts: [12.5, 99, 1000, 3.14159, 42],
      note: text,
      parent: null,
    }),
    check(message, n) {
      if (message.id !== n || message.note.length !== text.length) assert.fail(`${message.id} where ${n} was due`);
    },
  };
}

/** Some 36,000 small objects, 3 MB as JSON. */
function graph() {
  const items = Array.from({ length: 36_000 }, (_, i) => ({
    id: i,
    name: `item ${i}`,
    isOn: i % 2 === 0,
    at: { x: i, y: i / 2 },
    tags: ['a', 'b'],
  }));
  return {
    burst: 1,
    window: 4,
    bytes: JSON.stringify({ n: 1, items }).length,
    make: (n) => ({ n, items }),
    check(message, n) {
      assert.strictEqual(message.n, n);
      assert.strictEqual(message.items.length, items.length);
      assert.deepEqual(message.items.at(-1), items.at(-1));
    },
  };
}

/**
 * 64 MB whose every page says which message it belongs to, so that a receiver must have them all, and not those of
 * another.
 */
function buffer() {
  const bytes = 64 * 2 ** 20;
  let own;
  return {
    burst: 1,
    window: 2,
    bytes,
    make(n) {
      own ??= Buffer.alloc(bytes);
      for (let i = 0; i < bytes; i += PAGE) own[i] = n;
      own[bytes - 1] = n;
      return own;
    },
    check(message, n) {
      assert.strictEqual(message.length, bytes);
      const due = n & 255;
      for (let i = 0; i < bytes; i += PAGE)
        if (message[i] !== due) assert.fail(`byte ${i} is ${message[i]}, not ${due}`);
      assert.strictEqual(message[bytes - 1], due);
    },
  };
}

const SIZES = [100, 1000, 10_000, 100_000, 1_000_000];

/** An object with a text in it, about `bytes` as JSON. */
function sized(bytes) {
  const text = 'The quick brown fox jumps over the lazy dog. '.repeat(bytes / 45 + 1).slice(0, bytes - 24);
  return {
    burst: Math.max(1, Math.min(1000, Math.floor(250_000 / bytes))),
    window: 4,
    make: (n) => ({ id: n, text }),
    check(message, n) {
      if (message.id !== n || message.text.length !== text.length) assert.fail(`${message.id} where ${n} was due`);
    },
  };
}

const ofEachSize = Object.fromEntries(SIZES.map((bytes) => [`sized-${bytes}`, () => sized(bytes)]));

module.exports = { SIZES, small, strings, kilobyte, graph, buffer, ...ofEachSize };
