'use strict';

// fork(modulePath, args, options): what it takes, what it refuses and with which words, and what of it reaches the
// program.

const { pathToFileURL } = require('node:url');

const { paired } = require('../pairings');
const values = require('../values');

// In Node's place: they start at once and take any arguments.
const TRUE = { execPath: '/bin/true', stdio: 'ignore' };
const LIST = { execPath: '/bin/sh', execArgv: ['-c', 'cat /proc/$$/cmdline'], silent: true };

async function forEachValue(t, fork, { skip = [] } = {}) {
  const outcomes = {};
  for (const [label, value] of values()) {
    if (!skip.includes(label)) outcomes[label] = await t.outcome(() => fork(value));
  }
  return outcomes;
}

function optionScenario(option, { skip } = {}) {
  return (cp, t) => forEachValue(t, (value) => cp.fork('module', [], { ...TRUE, [option]: value }), { skip });
}

// What a Node child makes of it.
const REPORT = `process.send({
  file: require.main && require.main.filename,
  argv: process.argv.slice(1),
  execArgv: process.execArgv,
})`;

module.exports = paired(
  {
    'no argument at all': (cp, t) => t.outcome(() => cp.fork()),

    'modulePath is a string, a Buffer or a file URL, without NUL': (cp, t) =>
      forEachValue(t, (value) => cp.fork(value, [], TRUE)),

    'modulePath as a URL object of another kind, as one with a host, as one with an odd path': (cp, t) => ({
      http: t.attempt(() => cp.fork(new URL('http://example.org/x.js'), TRUE)),
      host: t.attempt(() => cp.fork(new URL('file://host/x.js'), TRUE)),
      slash: t.attempt(() => cp.fork(new URL('file:///a%2Fb.js'), TRUE)),
      nul: t.attempt(() => cp.fork(new URL('file:///a%00b.js'), TRUE)),
      lookalike: t.attempt(() => cp.fork({ href: 'file:///x.js', protocol: 'file:', pathname: '/x.js' }, TRUE)),
    }),

    'each kind of modulePath finds the module': async (cp, t) => {
      const file = t.file('a module é.js', REPORT);
      return {
        string: await t.outcome(() => cp.fork(file)),
        relative: await t.outcome(() => cp.fork('./a module é.js')),
        extensionLeftOut: await t.outcome(() => cp.fork('./a module é')),
        url: await t.outcome(() => cp.fork(pathToFileURL(file))),
        buffer: await t.outcome(() => cp.fork(Buffer.from(file))),
      };
    },

    'modulePath as a file: string is no URL': async (cp, t) => {
      const child = cp.fork(pathToFileURL(t.file('module.js', REPORT)).href, { silent: true });
      const { events } = await t.record(child);
      return events;
    },

    'modulePath that looks like an option': (cp, t) => t.outcome(() => cp.fork('--version', { silent: true })),

    'args is an array, or left out': (cp, t) => {
      const skip = values()
        .filter(([, value]) => value !== null && typeof value === 'object' && !Array.isArray(value))
        .map(([label]) => label);
      return forEachValue(t, (value) => cp.fork('module', value, TRUE), { skip });
    },

    'args as an object takes the place of the options, whatever follows': async (cp, t) => ({
      object: await t.outcome(() =>
        cp.fork('module', { ...LIST, execArgv: ['-c', 'pwd'], cwd: '/usr' }, { cwd: '/etc' }),
      ),
      array: await t.outcome(() => cp.fork('module', ['x'], { ...LIST, cwd: '/etc' })),
      null: await t.outcome(() => cp.fork('module', null, LIST)),
      undefined: await t.outcome(() => cp.fork('module', undefined, LIST)),
      onlyOptions: await t.outcome(() => cp.fork('module', LIST)),
    }),

    'options is an object, null or undefined': (cp, t) => {
      const outcomes = {};
      for (const [label, value] of values()) {
        const isRefused = value != null && (typeof value !== 'object' || Array.isArray(value));
        if (isRefused) outcomes[label] = t.attempt(() => cp.fork('no-such-module', [], value));
      }
      return outcomes;
    },

    'options null, undefined, without a prototype, an instance': async (cp, t) => {
      const file = t.file('module.js', REPORT);
      class Options {
        stdio = 'ignore';
      }
      return {
        null: await t.outcome(() => cp.fork(file, ['a'], null)),
        undefined: await t.outcome(() => cp.fork(file, ['a'], undefined)),
        nullPrototype: await t.outcome(() => cp.fork('module', [], Object.assign(Object.create(null), TRUE))),
        instance: await t.outcome(() => cp.fork('module', [], Object.assign(new Options(), { execPath: '/bin/true' }))),
      };
    },

    'inherited and hidden options do not count': async (cp, t) => ({
      inherited: await t.outcome(() =>
        cp.fork('module', [], Object.assign(Object.create({ cwd: '/nonexistent-dir' }), TRUE)),
      ),
      hidden: await t.outcome(() =>
        cp.fork(
          'module',
          [],
          Object.defineProperty({ ...TRUE }, 'cwd', { value: '/nonexistent-dir', enumerable: false }),
        ),
      ),
    }),

    'each option is read once, in the order of its keys': async (cp, t) => {
      const reads = [];
      const options = {};
      const given = { execPath: '/bin/true', stdio: 'ignore' };
      for (const key of [
        'windowsHide',
        'stdio',
        'silent',
        'cwd',
        'env',
        'unknown',
        'execPath',
        'execArgv',
        'detached',
        'uid',
        'gid',
        'signal',
        'timeout',
        'killSignal',
        'serialization',
        'shell',
        'argv0',
      ]) {
        Object.defineProperty(options, key, {
          enumerable: true,
          get() {
            reads.push(key);
            return given[key];
          },
        });
      }
      const recorded = await t.outcome(() => cp.fork('module', options));
      return { reads, recorded };
    },

    'an option whose getter throws': (cp, t) =>
      t.outcome(() =>
        cp.fork('module', {
          get execArgv() {
            throw new EvalError('not today');
          },
        }),
      ),

    'the caller’s options and arrays are not changed': async (cp, t) => {
      const options = Object.freeze({
        ...TRUE,
        stdio: Object.freeze(['ignore', 'ignore', 'ignore', 'ipc']),
        execArgv: Object.freeze(['a']),
        env: Object.freeze({ A: '1' }),
      });
      const args = Object.freeze(['b']);
      return { recorded: await t.outcome(() => cp.fork('module', args, options)), options, args };
    },

    'arguments that are not strings reach the program as strings': async (cp, t) => {
      const given = values().filter(([, value]) => !Array.isArray(value) && typeof value !== 'symbol');
      const outcomes = {};
      for (const [label, value] of given) {
        const result = t.attempt(() => {
          void `${value}`;
        });
        const isFit = !result.thrown && !String(value).includes('\0');
        if (!isFit) outcomes[label] = await t.outcome(() => cp.fork('module', [value], LIST));
      }
      const fit = given.filter(([label]) => !(label in outcomes)).map(([, value]) => value);
      return { outcomes, fit: await t.outcome(() => cp.fork('module', fit, LIST)) };
    },

    'NUL anywhere, symbols': (cp, t) => ({
      module: t.attempt(() => cp.fork('a\0b', TRUE)),
      moduleBuffer: t.attempt(() => cp.fork(Buffer.from('a\0b'), TRUE)),
      argument: t.attempt(() => cp.fork('module', ['fine', 'a\0b'], TRUE)),
      execArgv: t.attempt(() => cp.fork('module', [], { ...TRUE, execArgv: ['fine', 'a\0b'] })),
      execPath: t.attempt(() => cp.fork('module', [], { ...TRUE, execPath: 'a\0b' })),
      env: t.attempt(() => cp.fork('module', [], { ...TRUE, env: { A: 'a\0b' } })),
      cwd: t.attempt(() => cp.fork('module', [], { ...TRUE, cwd: 'a\0b' })),
      symbol: t.attempt(() => cp.fork('module', [Symbol('s')], TRUE)),
      nullPrototype: t.attempt(() => cp.fork('module', [Object.create(null)], TRUE)),
    }),

    'empty arguments, holes, text beyond ASCII': async (cp, t) => ({
      empty: await t.outcome(() => cp.fork('', ['', 'x', ''], LIST)),
      holes: await t.outcome(() => cp.fork('module', ['a', , 'b'], LIST)),
      unicode: await t.outcome(() => cp.fork('modülé', ['\u{1F600}', '\uD800', '\n\t"\'\\$`*'], LIST)),
    }),

    'execPath: each value': optionScenario('execPath'),
    'execArgv: each value': optionScenario('execArgv'),
    'silent: each value': (cp, t) =>
      forEachValue(t, (value) => cp.fork('module', [], { execPath: '/bin/true', silent: value })),
    'stdio: each value': (cp, t) =>
      forEachValue(t, (value) => cp.fork('module', [], { execPath: '/bin/true', stdio: value })),
    'serialization: each value': optionScenario('serialization'),
    'serialization json and advanced': async (cp, t) => ({
      json: await t.outcome(() => cp.fork('module', [], { ...TRUE, serialization: 'json' })),
      advanced: await t.outcome(() => cp.fork('module', [], { ...TRUE, serialization: 'advanced' })),
      upperCase: t.attempt(() => cp.fork('module', [], { ...TRUE, serialization: 'JSON' })),
      inherited: t.attempt(() => cp.fork('module', [], { ...TRUE, serialization: 'toString' })),
    }),

    // Each value of each of them is tried with spawn().
    'the options of spawn() are checked here, too': (cp, t) => {
      const wrong = {
        cwd: [1, {}, ''],
        detached: ['x', 1],
        uid: ['x', 1.5, 2 ** 31],
        gid: ['x', {}],
        signal: ['x', {}, []],
        timeout: [-1, 'x', 1.5],
        killSignal: ['SIGNO', -1, 1.5, {}],
        argv0: [1, {}, 'a\0b'],
        windowsHide: ['x', 1],
        windowsVerbatimArguments: ['x', 0],
      };
      const outcomes = {};
      for (const [option, given] of Object.entries(wrong)) {
        outcomes[option] = given.map((value) =>
          t.attempt(() => cp.fork('module', [], { ...TRUE, [option]: value, stdio: ['ipc', 'ipc'] })),
        );
      }
      return outcomes;
    },

    'shell is left out of account': (cp, t) =>
      forEachValue(t, (value) => cp.fork('module', [], { ...TRUE, shell: value })),

    'what is wrong in several places is said in this order': (cp, t) => ({
      moduleBeforeArgs: t.attempt(() => cp.fork(1, 'x', 1)),
      argsBeforeOptions: t.attempt(() => cp.fork('m', 'x', 1)),
      execPathBeforeExecArgv: t.attempt(() => cp.fork('m', [], { execPath: 'a\0', execArgv: ['b\0'], stdio: [] })),
      execArgvBeforeStdio: t.attempt(() => cp.fork('m', [], { execArgv: ['b\0'], stdio: [] })),
      stdioBeforeArgs: t.attempt(() => cp.fork('m', ['c\0'], { stdio: [] })),
      stdioBeforeCwd: t.attempt(() => cp.fork('m', [], { stdio: [], cwd: 1 })),
      cwdBeforeSerialization: t.attempt(() => cp.fork('m', [], { cwd: 1, serialization: 'x' })),
      timeoutBeforeSerialization: t.attempt(() => cp.fork('m', [], { timeout: -1, serialization: 'x' })),
      serializationBeforeStdio: t.attempt(() => cp.fork('m', [], { serialization: 'x', stdio: ['ipc', 'ipc'] })),
    }),

    'spawnfile and spawnargs': async (cp, t) => {
      const child = cp.fork('module', ['x', 1], { ...TRUE, execArgv: ['--flag'] });
      const { spawnfile, spawnargs } = child;
      return { spawnfile, spawnargs, recorded: await t.record(child) };
    },

    'spawnfile and spawnargs of a Node child': async (cp, t) => {
      const child = cp.fork(t.file('module.js', ''), ['x']);
      const { spawnfile, spawnargs } = child;
      return { spawnfile, spawnargs, recorded: await t.record(child) };
    },
  },
  { pairings: ['ours to ours'], serializations: ['json'] },
);
