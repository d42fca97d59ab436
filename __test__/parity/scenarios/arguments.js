'use strict';

// spawn(file, args, options): what it takes, what it refuses and with which words.

const { TRIED } = require('../options');
const values = require('../values');

async function forEachValue(t, spawn, { skip = [] } = {}) {
  const outcomes = {};
  for (const [label, value] of values()) {
    if (!skip.includes(label)) outcomes[label] = await t.outcome(() => spawn(value));
  }
  return outcomes;
}

// Every option is tried with a program that ends at once; what is accepted runs, what is refused throws.
function optionScenario(option, { skip, command = 'true', args = [] } = {}) {
  return (cp, t) => forEachValue(t, (value) => cp.spawn(command, args, { stdio: 'ignore', [option]: value }), { skip });
}

module.exports = {
  'the file is a non-empty string without NUL': (cp, t) =>
    forEachValue(t, (value) => cp.spawn(value, { stdio: 'ignore' })),

  'no argument at all': (cp, t) => t.outcome(() => cp.spawn()),

  'args is an array, or left out, or an object that is the options': (cp, t) =>
    forEachValue(t, (value) => cp.spawn('true', value, { stdio: 'ignore' })),

  'args as an object takes the place of the options, whatever follows': async (cp, t) => ({
    object: await t.outcome(() => cp.spawn('pwd', { cwd: '/usr' }, { cwd: '/etc' })),
    array: await t.outcome(() => cp.spawn('pwd', [], { cwd: '/etc' })),
    null: await t.outcome(() => cp.spawn('pwd', null, { cwd: '/etc' })),
    undefined: await t.outcome(() => cp.spawn('pwd', undefined, { cwd: '/etc' })),
  }),

  'options is an object or undefined': (cp, t) => forEachValue(t, (value) => cp.spawn('true', [], value)),

  'arguments that are not strings reach the program as strings': async (cp, t) => {
    const outcomes = {};
    for (const [label, value] of values()) {
      if (Array.isArray(value)) continue;
      outcomes[label] = await t.outcome(() => cp.spawn('sh', ['-c', 'cat /proc/$$/cmdline', 'sh', value]));
    }
    return outcomes;
  },

  'arguments whose conversion throws': async (cp, t) => ({
    toString: await t.outcome(() =>
      cp.spawn('true', [
        {
          toString() {
            throw new RangeError('no string');
          },
        },
      ]),
    ),
    nullPrototype: await t.outcome(() => cp.spawn('true', [Object.create(null)])),
    symbol: await t.outcome(() => cp.spawn('true', ['a', Symbol('x')])),
  }),

  'holes in args': (cp, t) => t.outcome(() => cp.spawn('sh', ['-c', 'cat /proc/$$/cmdline', , 'b', , 'd'])),

  'empty arguments stay empty': (cp, t) =>
    t.outcome(() => cp.spawn('sh', ['-c', 'cat /proc/$$/cmdline', '', '', 'x', ''])),

  'arguments beyond ASCII, lone surrogates among them': (cp, t) =>
    t.outcome(() =>
      cp.spawn('sh', ['-c', 'cat /proc/$$/cmdline', 'é', '\u{1F600}', '\uD800', 'a\uDC00b', '\n\t"\'\\$`*']),
    ),

  'the caller’s array of args is not changed, and later changes to it do nothing': async (cp, t) => {
    const args = ['a', 'b'];
    const child = cp.spawn('echo', args);
    args.push('c');
    const recorded = await t.record(child);
    return { args, spawnargs: child.spawnargs, recorded };
  },

  'frozen options and arrays': async (cp, t) => ({
    options: await t.outcome(() => cp.spawn('true', Object.freeze([]), Object.freeze({ stdio: 'ignore' }))),
    stdioLongEnough: await t.outcome(() => cp.spawn('true', { stdio: Object.freeze(['ignore', 'ignore', 'ignore']) })),
  }),

  'each option is read once, in the order of its keys': async (cp, t) => {
    const reads = [];
    const options = {};
    for (const key of [
      'windowsHide',
      'stdio',
      'shell',
      'cwd',
      'env',
      'unknown',
      'argv0',
      'detached',
      'uid',
      'gid',
      'signal',
      'timeout',
      'killSignal',
      'serialization',
      'windowsVerbatimArguments',
    ]) {
      Object.defineProperty(options, key, {
        enumerable: true,
        get() {
          reads.push(key);
          return undefined;
        },
      });
    }
    const recorded = await t.outcome(() => cp.spawn('true', options));
    return { reads, recorded };
  },

  'options behind a Proxy': async (cp, t) => {
    const traps = [];
    const options = new Proxy(
      { cwd: '/', env: { PATH: '/usr/bin:/bin' } },
      {
        get(target, key) {
          traps.push(['get', key]);
          return target[key];
        },
        ownKeys(target) {
          traps.push(['ownKeys']);
          return Reflect.ownKeys(target);
        },
        has(target, key) {
          traps.push(['has', key]);
          return key in target;
        },
      },
    );
    return { recorded: await t.outcome(() => cp.spawn('pwd', options)), traps };
  },

  'an option whose getter throws': (cp, t) =>
    t.outcome(() =>
      cp.spawn('true', {
        get cwd() {
          throw new EvalError('not today');
        },
      }),
    ),

  'inherited and hidden options do not count': async (cp, t) => ({
    inherited: await t.outcome(() => cp.spawn('pwd', Object.create({ cwd: '/usr' }))),
    hidden: await t.outcome(() =>
      cp.spawn('pwd', Object.defineProperty({}, 'cwd', { value: '/usr', enumerable: false })),
    ),
  }),

  'a polluted Object.prototype adds no option': async (cp, t) => {
    // Not signal: the builtin makes its sockets within spawn(), and those do look at what they inherit.
    const pollution = {
      shell: '/nonexistent-shell',
      cwd: '/nonexistent-dir',
      argv0: 'polluted',
      stdio: 'ignore',
      detached: 'x',
      uid: 'x',
      gid: 'x',
      timeout: 'x',
      killSignal: 'x',
      serialization: 'x',
      windowsHide: 'x',
      windowsVerbatimArguments: 'x',
      envPairs: 'x',
      file: 'x',
      args: 'x',
    };
    const outcomes = {};
    for (const [key, value] of Object.entries(pollution)) {
      for (const [form, options] of [
        ['none', undefined],
        ['empty', {}],
        ['null prototype', Object.create(null)],
      ]) {
        Object.prototype[key] = value;
        let child;
        let thrown;
        try {
          child = cp.spawn('sh', ['-c', 'cat /proc/$$/cmdline; pwd'], options);
        } catch (error) {
          thrown = error;
        } finally {
          delete Object.prototype[key];
        }
        outcomes[`${key} ${form}`] = thrown ? { thrown: t.describe(thrown) } : await t.record(child);
      }
    }
    return outcomes;
  },

  'an array prototype with an accessor for an index is not stepped on': async (cp, t) => {
    let child;
    Object.defineProperty(Array.prototype, '7', {
      configurable: true,
      get() {
        return 'polluted';
      },
      set() {},
    });
    try {
      child = cp.spawn('echo', ['a']);
    } finally {
      delete Array.prototype[7];
    }
    return t.record(child);
  },

  ...Object.fromEntries(Object.entries(TRIED).map(([option, how]) => [option, optionScenario(option, how)])),
  'serialization': optionScenario('serialization'),
  // What is a valid number of milliseconds races with the program and has scenarios of its own.
  'timeout': optionScenario('timeout', { skip: ['1', '2 ** 31 - 1', '2 ** 31', '2 ** 53', '1e21'] }),
  'killSignal': optionScenario('killSignal'),
  'signal': optionScenario('signal'),

  'stdio': (cp, t) =>
    forEachValue(t, (value) => cp.spawn('true', { stdio: value }), {
      // Descriptors that a harness hands to its children are not the same on both sides.
      skip: ['a nested array', 'a long array'],
    }),

  'the first thing wrong is the one that is reported': async (cp, t) => {
    const wrong = {
      file: 1,
      args: 1,
      cwd: 1,
      detached: 1,
      uid: 'x',
      gid: 'x',
      shell: 1,
      argv0: 1,
      windowsHide: 1,
      windowsVerbatimArguments: 1,
      env: { A: '\0' },
      timeout: 'x',
      signal: 1,
      killSignal: {},
      stdio: 'x',
      serialization: 'x',
    };
    const keys = Object.keys(wrong);
    const outcomes = {};
    keys.forEach((key, i) => {
      const rest = Object.fromEntries(keys.slice(i).map((name) => [name, wrong[name]]));
      const { file = 'true', args = [], ...options } = rest;
      outcomes[key] = t.attempt(() => cp.spawn(file, args, options));
    });
    return outcomes;
  },

  'options that are null are as if they were not there': (cp, t) =>
    t.outcome(() =>
      cp.spawn('pwd', [], {
        cwd: null,
        detached: null,
        uid: null,
        gid: null,
        shell: null,
        argv0: null,
        windowsHide: null,
        windowsVerbatimArguments: null,
        env: null,
        timeout: null,
        killSignal: null,
        stdio: null,
        serialization: undefined,
      }),
    ),
};
