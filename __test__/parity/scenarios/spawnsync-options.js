'use strict';

// The options of spawnSync(file, args, options) that are not about its streams, time or encodings: what they do, and
// how they are checked.

const { sync, syncForEachValue: forEachValue } = require('../collected');
const { TRIED } = require('../options');

function optionScenario(option, { skip, command = 'true', args = [] } = {}) {
  return (cp, t) => forEachValue(t, (value) => cp.spawnSync(command, args, { [option]: value }), { skip });
}

module.exports = {
  'cwd, env, argv0': (cp, t) => ({
    cwd: sync(t, () => cp.spawnSync('pwd', { cwd: '/usr' })),
    url: sync(t, () => cp.spawnSync('pwd', { cwd: new URL('file:///usr') })),
    env: sync(t, () =>
      cp.spawnSync('env', { env: { PATH: '/usr/bin:/bin', A: 'ä', EMPTY: '', UNDEFINED: undefined, NUMBER: 7 } }),
    ),
    emptyEnv: sync(t, () => cp.spawnSync('/usr/bin/env', { env: {} })),
    otherPath: sync(t, () => cp.spawnSync('env', { env: { PATH: '/none' } })),
    argv0: sync(t, () => cp.spawnSync('cat', ['/proc/self/cmdline'], { argv0: 'other' })),
  }),

  'process.env as it is now': (cp, t) => {
    process.env.PARITY_ADDED = 'added ä';
    try {
      return sync(t, () => cp.spawnSync('sh', ['-c', 'echo "$PARITY_ADDED"']));
    } finally {
      delete process.env.PARITY_ADDED;
    }
  },

  'uid, gid, detached': (cp, t) => ({
    uid: sync(t, () => cp.spawnSync('id', ['-u'], { uid: 65534 })),
    gid: sync(t, () => cp.spawnSync('id', ['-g'], { gid: 65534 })),
    both: sync(t, () => cp.spawnSync('id', ['-un'], { uid: 65534, gid: 65534 })),
    detached: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'set -- $(cat /proc/$$/stat); test "$5" = $$ && test "$6" = $$ && echo leader'], {
        detached: true,
      }),
    ),
    notDetached: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'set -- $(cat /proc/$$/stat); test "$5" = $$ || echo no leader'], { detached: false }),
    ),
  }),

  'shell': (cp, t) => ({
    true: sync(t, () => cp.spawnSync('echo "$0" $((1 + 1)); exit 3', { shell: true })),
    path: sync(t, () => cp.spawnSync('echo $((2 ** 3)) "$0"', { shell: '/bin/bash' })),
    name: sync(t, () => cp.spawnSync('echo "$0"', { shell: 'bash' })),
    false: sync(t, () => cp.spawnSync('echo', ['$HOME'], { shell: false })),
    empty: sync(t, () => cp.spawnSync('echo', ['$HOME'], { shell: '' })),
    missingCommand: sync(t, () => cp.spawnSync('no-such-program', { shell: true })),
  }),

  'shell and arguments, with the warning of this Node': {
    alone: true,
    run: async (cp, t) => {
      const outcomes = [
        sync(t, () => cp.spawnSync('echo', ['a', 'b  c', '$((1 + 1))'], { shell: true })),
        sync(t, () => cp.spawnSync('echo', ['x'], { shell: true })),
      ];
      await t.sleep(20);
      return outcomes;
    },
  },

  'options of the asynchronous ones are of no matter': (cp, t) => ({
    signal: sync(t, () => cp.spawnSync('echo', ['x'], { signal: AbortSignal.abort() })),
    serialization: sync(t, () => cp.spawnSync('echo', ['x'], { serialization: 'x' })),
    envPairs: sync(t, () => cp.spawnSync('env', { envPairs: ['A=1'], env: { PATH: '/usr/bin:/bin' } })),
    file: sync(t, () => cp.spawnSync('echo', ['x'], { file: 'no-such-program', args: ['y'] })),
  }),

  ...Object.fromEntries(
    Object.entries(TRIED).map(([option, how]) => [`${option} values`, optionScenario(option, how)]),
  ),

  'options that are null or undefined': (cp, t) => {
    const outcomes = {};
    for (const key of [
      'cwd',
      'env',
      'encoding',
      'shell',
      'timeout',
      'maxBuffer',
      'killSignal',
      'uid',
      'gid',
      'windowsHide',
      'argv0',
      'input',
      'stdio',
      'detached',
    ]) {
      for (const value of [null, undefined])
        outcomes[`${key} ${value}`] = sync(t, () => cp.spawnSync('echo', ['x'], { [key]: value }));
    }
    return outcomes;
  },

  'the first thing wrong is the one that is reported': (cp, t) => {
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
      maxBuffer: 'x',
      killSignal: {},
      stdio: 'x',
      input: 1,
    };
    const keys = Object.keys(wrong);
    const outcomes = {};
    keys.forEach((key, i) => {
      const {
        file = 'true',
        args = [],
        ...options
      } = Object.fromEntries(keys.slice(i).map((name) => [name, wrong[name]]));
      outcomes[key] = sync(t, () => cp.spawnSync(file, args, options));
    });
    return outcomes;
  },

  'options that are inherited or hidden do not count': (cp, t) => ({
    inherited: sync(t, () => cp.spawnSync('pwd', Object.create({ cwd: '/usr', encoding: 'hex' }))),
    hidden: sync(t, () => cp.spawnSync('pwd', Object.defineProperty({}, 'cwd', { value: '/usr', enumerable: false }))),
    nullPrototype: sync(t, () => cp.spawnSync('pwd', Object.assign(Object.create(null), { cwd: '/usr' }))),
    throwing: sync(t, () =>
      cp.spawnSync('pwd', {
        get cwd() {
          throw new RangeError('no cwd');
        },
      }),
    ),
  }),

  'a polluted Object.prototype adds no option': (cp, t) => {
    const pollution = {
      shell: '/nonexistent-shell',
      cwd: '/nonexistent-dir',
      argv0: 'polluted',
      stdio: 'ignore',
      uid: 'x',
      gid: 'x',
      timeout: 'x',
      killSignal: 'x',
      maxBuffer: 'x',
      encoding: 'hex',
      detached: 'x',
    };
    const outcomes = {};
    for (const [key, value] of Object.entries(pollution)) {
      for (const [form, options] of [
        ['none', undefined],
        ['empty', {}],
      ]) {
        Object.prototype[key] = value;
        let result;
        let thrown;
        try {
          result = cp.spawnSync('sh', ['-c', 'cat /proc/$$/cmdline; pwd'], options);
        } catch (error) {
          thrown = error;
        } finally {
          delete Object.prototype[key];
        }
        outcomes[`${key} ${form}`] = thrown ? t.describe(thrown) : sync(t, () => result);
      }
    }
    return outcomes;
  },
};
