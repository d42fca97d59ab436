'use strict';

// options.env and process.env: the bytes that reach the child, as the kernel holds them.

const values = require('../values');

const dump = (cp, t, env) => t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ'], { env }));

async function withProcessEnv(changes, run) {
  const before = { ...process.env };
  try {
    for (const [key, value] of Object.entries(changes)) process.env[key] = value;
    return await run();
  } finally {
    for (const key of Object.keys(process.env)) if (!(key in before)) delete process.env[key];
    Object.assign(process.env, before);
  }
}

module.exports = {
  'the given pairs, in their order, and nothing else': (cp, t) =>
    dump(cp, t, { B: '2', A: '1', PATH: '/bin', EMPTY: '' }),

  'an empty environment': (cp, t) => dump(cp, t, {}),

  'keys that look like indices come first': (cp, t) => dump(cp, t, { B: 'b', 10: 'ten', 2: 'two' }),

  'inherited keys count, hidden and symbol keys do not': async (cp, t) => {
    const inherited = Object.create(
      { INHERITED: 'i', BOTH: 'base' },
      {
        OWN: { value: 'o', enumerable: true },
        BOTH: { value: 'own', enumerable: true },
        HIDDEN: { value: 'h', enumerable: false },
      },
    );
    inherited[Symbol('s')] = 'symbol';
    return {
      inherited: await dump(cp, t, inherited),
      nullPrototype: await dump(cp, t, Object.assign(Object.create(null), { A: '1' })),
      shadowed: await dump(cp, t, Object.create({ SHADOWED: 's' }, { SHADOWED: { value: 'x', enumerable: false } })),
    };
  },

  'a polluted Object.prototype reaches an environment': async (cp, t) => {
    let child;
    Object.prototype.POLLUTED = 'yes';
    try {
      child = cp.spawn('/bin/cat', ['/proc/self/environ'], { env: { A: '1' } });
    } finally {
      delete Object.prototype.POLLUTED;
    }
    return t.record(child);
  },

  'values of every kind become strings, undefined is left out': async (cp, t) => {
    const outcomes = {};
    for (const [label, value] of values()) outcomes[label] = await dump(cp, t, { BEFORE: 'b', KEY: value, AFTER: 'a' });
    return outcomes;
  },

  'values whose conversion throws': async (cp, t) => ({
    symbol: await dump(cp, t, { A: Symbol('s') }),
    nullPrototype: await dump(cp, t, { A: Object.create(null) }),
    throwing: await dump(cp, t, {
      A: {
        toString() {
          throw new RangeError('no string');
        },
      },
    }),
    getter: await dump(cp, t, {
      get A() {
        throw new RangeError('no value');
      },
    }),
  }),

  'a NUL in a key or a value is refused': async (cp, t) => ({
    key: await dump(cp, t, { 'a\0b': 'x' }),
    value: await dump(cp, t, { A: 'x\0y' }),
    both: await dump(cp, t, { 'a\0b': 'x\0y' }),
    quoteInKey: await dump(cp, t, { "it's": 'x\0y' }),
    undefinedValue: await dump(cp, t, { 'a\0b': undefined }),
    inObject: await dump(cp, t, { A: { toString: () => 'x\0y' } }),
    second: await dump(cp, t, { A: 'fine', B: 'x\0y', C: '\0' }),
  }),

  'odd keys: empty, with an equals sign, with spaces and line breaks': (cp, t) =>
    dump(cp, t, { '': 'empty key', 'A=B': 'c', 'with space': 'x', 'line\nbreak': 'y', '=': '=' }),

  'keys that differ in case only': (cp, t) => dump(cp, t, { key: '1', KEY: '2', Key: '3' }),

  'text beyond ASCII, lone surrogates among it': (cp, t) =>
    dump(cp, t, { Ä: 'ö', EMOJI: '\u{1F600}', HIGH: '\uD800', LOW: 'a\uDC00b', '\uD800': 'in the key' }),

  'a long value': (cp, t) => dump(cp, t, { LONG: 'x'.repeat(100_000), AFTER: 'a' }),

  'many keys': (cp, t) => dump(cp, t, Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`KEY_${i}`, `${i}`]))),

  'an array, a Map, a string, a function, a number as the environment': async (cp, t) => ({
    array: await dump(cp, t, ['A=1', 'B=2']),
    map: await dump(cp, t, new Map([['A', '1']])),
    string: await dump(cp, t, 'xy'),
    function: await dump(
      cp,
      t,
      Object.assign(() => {}, { A: '1' }),
    ),
    number: await dump(cp, t, 1),
    true: await dump(cp, t, true),
    false: await t.outcome(() => cp.spawn('/bin/true', { env: false })),
    zero: await t.outcome(() => cp.spawn('/bin/true', { env: 0 })),
    emptyString: await t.outcome(() => cp.spawn('/bin/true', { env: '' })),
  }),

  'an environment behind a Proxy: which keys are read, and when': async (cp, t) => {
    const traps = [];
    const env = new Proxy(
      { A: '1', B: undefined, C: '3' },
      {
        get(target, key) {
          traps.push(['get', key]);
          return target[key];
        },
        ownKeys(target) {
          traps.push(['ownKeys']);
          return Reflect.ownKeys(target);
        },
      },
    );
    return { recorded: await dump(cp, t, env), traps };
  },

  'without options.env the child gets what process.env holds': (cp, t) =>
    t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ'])),

  'changes to process.env reach the child': async (cp, t) =>
    withProcessEnv({ ADDED: 'a', LANG: 'changed', UNICODE: 'ö\u{1F600}', EMPTY: '' }, async () => {
      delete process.env.HOME;
      return t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ']));
    }),

  'options.env: process.env itself, and a spread of it': async (cp, t) => ({
    itself: await dump(cp, t, process.env),
    spread: await dump(cp, t, { ...process.env, EXTRA: '1' }),
    inherited: await dump(cp, t, Object.create(process.env, { OWN: { value: '1', enumerable: true } })),
  }),

  'process.env replaced by a plain object': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      process.env = { ONLY: 'this', NUMBER: 1, UNDEFINED: undefined };
      const replaced = await t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ']));
      process.env.LATER = 'added';
      const later = await t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ']));
      process.env = { BAD: 'x\0y' };
      const refused = await t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ']));
      return { replaced, later, refused };
    }),

  'process.env replaced by one that has no PATH, or another': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      t.file('bin/prog', '#!/bin/sh\necho found\n');
      process.env = { A: 'b' };
      const without = await t.outcome(() => cp.spawn('true'));
      process.env = { PATH: `${t.dir}/bin` };
      const other = await t.outcome(() => cp.spawn('prog'));
      return { without, other };
    }),

  'process.env replaced by an object with inherited keys': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      process.env = Object.create({ INHERITED: 'i' }, { OWN: { value: 'o', enumerable: true } });
      return t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ']));
    }),

  'process.env behind a Proxy': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      process.env = new Proxy(process.env, { get: (target, key) => (key === 'LANG' ? 'from the proxy' : target[key]) });
      return t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ']));
    }),

  'NODE_V8_COVERAGE is passed on': async (cp, t) =>
    withProcessEnv({ NODE_V8_COVERAGE: '/tmp/nonexistent-coverage' }, async () => ({
      plain: await dump(cp, t, { A: '1' }),
      own: await dump(cp, t, { A: '1', NODE_V8_COVERAGE: 'mine' }),
      undefined: await dump(cp, t, { A: '1', NODE_V8_COVERAGE: undefined }),
      inherited: await dump(cp, t, Object.create({ NODE_V8_COVERAGE: 'inherited' })),
    })),

  'a copy of the environment is taken at once': async (cp, t) => {
    const env = { A: '1' };
    const child = cp.spawn('/bin/cat', ['/proc/self/environ'], { env });
    env.A = '2';
    env.B = 'late';
    return t.record(child);
  },

  'in a Worker: its copy of process.env, a shared one, one of its own': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      const { Worker, SHARE_ENV } = require('node:worker_threads');
      process.env.MAIN = 'before';
      const source = `
      const { parentPort, workerData } = require('node:worker_threads')
      const cp = require(workerData)
      process.env.WORKER = 'set in the worker'
      delete process.env.LANG
      const child = cp.spawn('/bin/sh', ['-c', 'cat /proc/$$/environ'])
      let text = ''
      child.stdout.setEncoding('latin1').on('data', (data) => { text += data })
      child.on('close', (...args) => parentPort.postMessage([text, args]))`;
      const run = (env) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(source, { eval: true, env, workerData: t.subject });
          worker.on('error', reject);
          let message;
          worker.on('message', (value) => {
            message = value;
          });
          worker.on('exit', (code) => resolve({ message, code }));
        });
      const copied = await run(undefined);
      const own = await run({ OWN: '1', PATH: '/bin' });
      const shared = await run(SHARE_ENV);
      return { copied, own, shared, main: { ...process.env } };
    }),
};
