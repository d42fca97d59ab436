'use strict';

// exec(command, options, callback): call shapes, results, failures.

const { collect } = require('../collected');
const { NOT_PASSED_ON } = require('../options');
const values = require('../values');

const MB = 1 << 20;

// A class is a function, and as a callback throws within 'close', whose other listeners then never hear of it.
const NO_CLASS = { skip: ['a class'] };

async function forEachValue(t, start, { skip = [], ...options } = {}) {
  const outcomes = {};
  for (const [label, value] of values()) {
    if (!skip.includes(label))
      outcomes[label] = await collect(t, (callback) => start(value, callback), { callback: false, ...options });
  }
  return outcomes;
}

module.exports = {
  'output of both kinds and success': (cp, t) => collect(t, (callback) => cp.exec('echo out; echo err >&2', callback)),

  'nothing to say': (cp, t) => collect(t, (callback) => cp.exec('true', callback)),

  'the child it returns': (cp, t) => {
    const child = cp.exec('cat "/proc/$$/cmdline"');
    const { spawnfile, spawnargs } = child;
    return t
      .record(child, { streams: false })
      .then((recorded) => ({ spawnfile, spawnargs, isChild: child instanceof cp.ChildProcess, recorded }));
  },

  'the command is a string without NUL': (cp, t) => forEachValue(t, (value, callback) => cp.exec(value, callback)),

  'no argument at all': (cp, t) => ({
    none: t.attempt(() => cp.exec()),
    onlyACallback: t.attempt(() => cp.exec(() => {})),
  }),

  'the second argument: options, a callback, or nothing': (cp, t) =>
    forEachValue(t, (value, callback) => cp.exec('echo x', value, callback), NO_CLASS),

  'the third argument: a callback or nothing': (cp, t) =>
    forEachValue(t, (value) => cp.exec('echo x', {}, value), NO_CLASS),

  'a callback in second place, whatever follows': async (cp, t) => ({
    undefined: await collect(t, (callback) => cp.exec('echo x', callback, undefined)),
    another: await collect(t, (callback) => cp.exec('echo x', callback, () => t.log('the third argument was called'))),
    nonsense: await collect(t, (callback) => cp.exec('echo x', callback, 'nonsense')),
  }),

  'optional arguments left out in every way': async (cp, t) => ({
    undefined: await collect(t, (callback) => cp.exec('echo x', undefined, callback)),
    null: await collect(t, (callback) => cp.exec('echo x', null, callback)),
    empty: await collect(t, (callback) => cp.exec('echo x', {}, callback)),
    noCallback: await collect(t, () => cp.exec('echo x', {}, undefined), { callback: false }),
    nullCallback: await collect(t, () => cp.exec('echo x', {}, null), { callback: false }),
    onlyTheCommand: await collect(t, () => cp.exec('echo x'), { callback: false }),
  }),

  'the options are not changed, and changes after the call do nothing': async (cp, t) => {
    const options = Object.freeze({ encoding: 'utf8', env: Object.freeze({ A: '1' }) });
    const frozen = await collect(t, (callback) => cp.exec('echo $A', options, callback));
    const changing = { encoding: 'hex', maxBuffer: 100, timeout: 0, killSignal: 'SIGTERM' };
    const changed = await collect(t, (callback) => cp.exec('sleep 0.05; echo abc', changing, callback), {
      touch: () => Object.assign(changing, { encoding: 'buffer', maxBuffer: 1, timeout: 1, killSignal: 'SIGKILL' }),
    });
    return { frozen, changed };
  },

  'options that are inherited or hidden do not count': async (cp, t) => ({
    inherited: await collect(t, (callback) =>
      cp.exec('pwd', Object.create({ cwd: '/usr', encoding: 'hex' }), callback),
    ),
    hidden: await collect(t, (callback) =>
      cp.exec('pwd', Object.defineProperty({}, 'encoding', { value: 'hex', enumerable: false }), callback),
    ),
    nullPrototype: await collect(t, (callback) =>
      cp.exec('pwd', Object.assign(Object.create(null), { cwd: '/usr' }), callback),
    ),
  }),

  'options that are null or undefined': async (cp, t) => {
    const outcomes = {};
    for (const key of [
      'cwd',
      'env',
      'encoding',
      'shell',
      'signal',
      'timeout',
      'maxBuffer',
      'killSignal',
      'uid',
      'gid',
      'windowsHide',
      'argv0',
      'windowsVerbatimArguments',
    ]) {
      for (const value of [null, undefined]) {
        // A maxBuffer of null is one of 0: killed, or already over.
        outcomes[`${key} ${value}`] = await collect(t, (callback) => cp.exec('echo x', { [key]: value }, callback), {
          callback: false,
          events: key !== 'maxBuffer',
        });
      }
    }
    return outcomes;
  },

  'options are read once each, in this order': async (cp, t) => {
    const read = [];
    const options = {};
    for (const key of [
      'encoding',
      'timeout',
      'maxBuffer',
      'killSignal',
      'cwd',
      'env',
      'shell',
      'signal',
      'uid',
      'gid',
      'windowsHide',
      'argv0',
    ]) {
      Object.defineProperty(options, key, {
        enumerable: true,
        get() {
          read.push(key);
        },
      });
    }
    const outcome = await collect(t, (callback) => cp.exec('echo x', options, callback), { callback: false });
    return { outcome, times: Object.fromEntries(read.map((key) => [key, read.filter((one) => one === key).length])) };
  },

  'an option whose getter throws': (cp, t) =>
    t.attempt(() =>
      cp.exec(
        'echo x',
        {
          get encoding() {
            throw new RangeError('no encoding');
          },
        },
        () => {},
      ),
    ),

  'exit codes': async (cp, t) => {
    const outcomes = {};
    for (const code of [1, 2, 42, 126, 127, 128, 255])
      outcomes[code] = await collect(t, (callback) => cp.exec(`exit ${code}`, callback));
    return outcomes;
  },

  'a failing command that said something': async (cp, t) => ({
    both: await collect(t, (callback) => cp.exec('echo out; echo err >&2; exit 3', callback)),
    lines: await collect(t, (callback) => cp.exec('printf "one\\ntwo\\n" >&2; exit 1', callback)),
    buffers: await collect(t, (callback) =>
      cp.exec('echo out; printf "\\303\\244\\377" >&2; exit 3', { encoding: 'buffer' }, callback),
    ),
    hex: await collect(t, (callback) => cp.exec('echo out; echo err >&2; exit 3', { encoding: 'hex' }, callback)),
    commandOfTwoLines: await collect(t, (callback) => cp.exec('echo a\nexit 4', callback)),
    much: await collect(t, (callback) => cp.exec('head -c 100000 /dev/zero | tr "\\0" e >&2; exit 5', callback)),
  }),

  'ended by a signal': async (cp, t) => ({
    term: await collect(t, (callback) => cp.exec('echo out; kill -TERM $$', callback)),
    kill: await collect(t, (callback) => cp.exec('kill -KILL $$', callback)),
    usr1: await collect(t, (callback) => cp.exec('kill -USR1 $$', callback)),
    ofTheShellsChild: await collect(t, (callback) => cp.exec("sh -c 'kill -KILL $$'; exit $?", callback)),
  }),

  'a command that is not there': (cp, t) =>
    collect(t, (callback) => cp.exec('no-such-program with arguments', callback)),

  'a command that may not be executed, a directory': async (cp, t) => {
    t.file('plain', 'x', 0o644);
    return {
      plain: await collect(t, (callback) => cp.exec('./plain', callback)),
      directory: await collect(t, (callback) => cp.exec('/usr', callback)),
    };
  },

  'a syntax error': (cp, t) => collect(t, (callback) => cp.exec('if', callback)),

  'an empty command': (cp, t) => collect(t, (callback) => cp.exec('', callback)),

  'a missing cwd': async (cp, t) => ({
    missing: await collect(t, (callback) => cp.exec('pwd', { cwd: '/nonexistent-dir' }, callback)),
    file: await collect(t, (callback) => cp.exec('pwd', { cwd: '/etc/passwd' }, callback)),
    withoutCallback: await collect(t, () => cp.exec('pwd', { cwd: '/nonexistent-dir' }), { callback: false }),
  }),

  'a command beyond the kernel’s limit': (cp, t) => {
    const long = `true ${'x'.repeat(200_000)}`;
    return t.attempt(() => cp.exec(long, () => t.log('called')));
  },

  'cwd': async (cp, t) => ({
    string: await collect(t, (callback) => cp.exec('pwd', { cwd: '/usr' }, callback)),
    url: await collect(t, (callback) => cp.exec('pwd', { cwd: new URL('file:///usr/bin') }, callback)),
    wrong: await forEachValue(t, (value, callback) => cp.exec('pwd', { cwd: value }, callback)),
  }),

  'env': async (cp, t) => ({
    given: await collect(t, (callback) => cp.exec('echo "$A-$HOME"', { env: { A: 'ä b' } }, callback)),
    empty: await collect(t, (callback) => cp.exec('echo "$HOME"', { env: {} }, callback)),
    nul: t.attempt(() => cp.exec('true', { env: { A: '\0' } }, () => {})),
  }),

  'shell': async (cp, t) => ({
    bash: await collect(t, (callback) => cp.exec('echo $((2 ** 5)) "$0"', { shell: '/bin/bash' }, callback)),
    name: await collect(t, (callback) => cp.exec('echo "$0"', { shell: 'bash' }, callback)),
    missing: await collect(t, (callback) => cp.exec('echo x', { shell: '/nonexistent-shell' }, callback)),
    wrong: await forEachValue(t, (value, callback) => cp.exec('echo "$0"', { shell: value }, callback)),
  }),

  'uid and gid': async (cp, t) => ({
    uid: await collect(t, (callback) => cp.exec('id -u', { uid: 65534 }, callback)),
    gid: await collect(t, (callback) => cp.exec('id -g', { gid: 65534 }, callback)),
    refused: await collect(t, (callback) => cp.exec('id -u', { uid: -1 }, callback)),
    wrongUid: await forEachValue(t, (value, callback) => cp.exec('true', { uid: value }, callback), {
      skip: ['-0', 'a bigint', 'a symbol', 'a null-prototype object', 'a null-prototype object with keys'],
    }),
    wrongGid: await forEachValue(t, (value, callback) => cp.exec('true', { gid: value }, callback), {
      skip: ['-0', 'a bigint', 'a symbol', 'a null-prototype object', 'a null-prototype object with keys'],
    }),
  }),

  'windowsHide and windowsVerbatimArguments are of any kind': async (cp, t) => ({
    hide: await forEachValue(t, (value, callback) => cp.exec('true', { windowsHide: value }, callback)),
    verbatim: await forEachValue(t, (value, callback) =>
      cp.exec('true', { windowsVerbatimArguments: value }, callback),
    ),
  }),

  'argv0 is checked and not used': async (cp, t) => ({
    given: await collect(t, (callback) => cp.exec('cat /proc/$$/cmdline', { argv0: 'other' }, callback)),
    wrong: await forEachValue(t, (value, callback) => cp.exec('true', { argv0: value }, callback)),
  }),

  'options of spawn that exec does not pass on': async (cp, t) => {
    const outcomes = {};
    for (const [key, value] of Object.entries(NOT_PASSED_ON)) {
      outcomes[key] = await collect(t, (callback) => cp.exec('echo x', { [key]: value }, callback));
    }
    return outcomes;
  },

  'the first thing wrong is the one that is reported': (cp, t) => {
    const wrong = {
      argv0: 1,
      timeout: 'x',
      maxBuffer: 'x',
      killSignal: {},
      cwd: 1,
      uid: 'x',
      gid: 'x',
      env: { A: '\0' },
      signal: 1,
    };
    const keys = Object.keys(wrong);
    const outcomes = {
      callback: t.attempt(() => cp.exec('true', wrong, 1)),
      command: t.attempt(() => cp.exec(1, wrong, 1)),
      nul: t.attempt(() => cp.exec('\0', wrong, 1)),
    };
    keys.forEach((key, i) => {
      outcomes[key] = t.attempt(() =>
        cp.exec('true', Object.fromEntries(keys.slice(i).map((name) => [name, wrong[name]])), () => {}),
      );
    });
    return outcomes;
  },

  '1 MB of output': async (cp, t) => ({
    exactly: await collect(t, (callback) => cp.exec(`head -c ${MB} /dev/zero | tr "\\0" a`, callback)),
    oneOver: await collect(t, (callback) =>
      cp.exec(`head -c ${MB + 1} /dev/zero | tr "\\0" a; exec sleep 5`, callback),
    ),
    both: await collect(t, (callback) =>
      cp.exec(`head -c ${MB} /dev/zero | tr "\\0" a; head -c ${MB} /dev/zero | tr "\\0" b >&2`, callback),
    ),
  }),

  '10 MB of output with a larger maxBuffer': async (cp, t) => ({
    text: await collect(t, (callback) =>
      cp.exec(`yes 'a line with ä' | head -c ${10 * MB}`, { maxBuffer: Infinity }, callback),
    ),
    bytes: await collect(t, (callback) =>
      cp.exec(`yes 'a line with ä' | head -c ${10 * MB}`, { maxBuffer: 20 * MB, encoding: 'buffer' }, callback),
    ),
  }),
};
