'use strict';

// What the channel writes and reads as JSON, on generated values: `JSON.stringify` of this Node says what it must be.

const test = require('ava');
const fc = require('fast-check');

const {
  RUNS,
  alike,
  check,
  checkReading,
  dressed,
  errorOf,
  everything,
  internal,
  isInternal,
  primitive,
  same,
  sendable,
  succeeds,
} = require('../helpers/generated');
const { MODES, Reader, Writer } = require('../helpers/wire');

test('json: strings, numbers, booleans and null are written as JSON.stringify writes them', async (t) => {
  const writer = new Writer(t, 'json');
  await check(primitive, async (values) => {
    const written = await writer.write(values);
    values.forEach((value, i) => same(written[i], MODES.json.encode(value), value));
  });
  t.pass();
});

test('json: objects and arrays are written as JSON.stringify writes them', async (t) => {
  const writer = new Writer(t, 'json');
  await check(
    fc.jsonValue({ maxDepth: 6 }).map(sendable),
    async (values) => {
      const written = await writer.write(values);
      values.forEach((value, i) => same(written[i], MODES.json.encode(value), value));
    },
    RUNS / 2,
  );
  t.pass();
});

test('json: what has toJSON, or no JSON at all, too', async (t) => {
  const writer = new Writer(t, 'json');
  const values = dressed(everything({ withBigInt: false }))
    .map(sendable)
    .filter((value) => succeeds(() => JSON.stringify(value)));
  await check(
    values,
    async (values) => {
      const written = await writer.write(values);
      values.forEach((value, i) => same(written[i], MODES.json.encode(value), value));
    },
    RUNS / 2,
  );
  t.pass();
});

test('json: what JSON.stringify throws is thrown, and nothing is written of it', async (t) => {
  const writer = new Writer(t, 'json');
  const values = everything().map((x) => {
    const cycle = { x };
    cycle.list = [cycle];
    return cycle;
  });
  const broken = fc.oneof(
    values,
    everything().map((x) => ({ x, big: 1n })),
    everything().map((x) => [
      x,
      {
        toJSON() {
          throw new TypeError('mine');
        },
      },
    ]),
  );
  await check(
    broken,
    async (values) => {
      for (const value of values)
        alike(errorOf(() => writer.child.send(value))?.message, errorOf(() => JSON.stringify(value)).message);
      alike(await writer.write([]), []);
    },
    50,
  );
  t.pass();
});

test('json: however messages are cut and batched, the same values come in order', (t) =>
  checkReading(t, 'json', fc.oneof(primitive, fc.jsonValue({ maxDepth: 4 }), internal)));

test('json: escaped in any way, a message is the same one', async (t) => {
  const reader = new Reader(t, 'json');
  const escape = (text, which) =>
    text.replace(/[A-Za-z_]/g, (letter, i) =>
      which[i % which.length] ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
    );
  const line = fc
    .tuple(
      fc.constantFrom('cmd', 'cmb'),
      fc.constantFrom('NODE_TEST', 'NODE_', 'NODE-TEST'),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
    )
    .chain(([name, cmd, which]) =>
      fc.constantFrom(
        `{"${escape(name, which)}":"${escape(cmd, which)}"}`,
        `{ "x" : [ 1 ] , "${escape(name, which)}" : "${escape(cmd, which)}" }`,
        `{"cmd":1,"${escape(name, which)}":"${escape(cmd, which)}"}`,
        `{"${escape(name, which)}":"${escape(cmd, which)}","${escape('cmd', which)}":null}`,
        `{"\\ud800":1,"${escape(name, which)}":"${escape(cmd, which)}"}`,
        `{"cmd":1e999,"${escape(name, which)}":"${escape(cmd, which)}\\udfff"}`,
      ),
    );
  await check(
    line,
    async (lines) => {
      const expected = lines
        .map((text) => JSON.parse(text))
        .map((value) => [isInternal(value) ? 'internalMessage' : 'message', value]);
      const heard = await reader.read([lines.map((text) => `${text}\n`).join('')], false);
      alike(heard.length, expected.length);
      heard.forEach((event, i) => alike(event, expected[i]));
    },
    RUNS / 2,
  );
  t.pass();
});
