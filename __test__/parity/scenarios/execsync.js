'use strict';

// execSync and execFileSync: what they return, what they throw, what becomes of stderr.

const { sync, syncForEachValue: forEachValue } = require('../collected');

const MB = 1 << 20;
const ENCODINGS = ['utf8', 'latin1', 'hex', 'base64', 'utf16le', 'buffer', 'no-such-encoding', '', null];

/** What `fn` writes to process.stderr, and how it went. */
function withStderr(t, fn) {
  const { write } = process.stderr;
  const written = [];
  process.stderr.write = (...args) =>
    written.push(args.map((arg) => [Buffer.isBuffer(arg) ? 'Buffer' : typeof arg, t.describe(arg)]));
  try {
    return { outcome: sync(t, fn), written };
  } finally {
    process.stderr.write = write;
  }
}

const QUIET = { stdio: 'pipe' };

module.exports = {
  'success': (cp, t) => ({
    execSync: sync(t, () => cp.execSync('echo out')),
    execFileSync: sync(t, () => cp.execFileSync('echo', ['out'])),
    nothing: sync(t, () => cp.execSync('true')),
  }),

  'execSync: every call shape': (cp, t) => ({
    undefined: sync(t, () => cp.execSync('pwd', undefined)),
    null: sync(t, () => cp.execSync('pwd', null)),
    empty: sync(t, () => cp.execSync('pwd', {})),
    options: sync(t, () => cp.execSync('pwd', { cwd: '/usr' })),
    callback: sync(t, () => cp.execSync('pwd', () => t.log('called'))),
    third: sync(t, () => cp.execSync('pwd', {}, () => t.log('called'))),
    none: sync(t, () => cp.execSync()),
  }),

  'execFileSync: every call shape': (cp, t) => ({
    file: sync(t, () => cp.execFileSync('pwd')),
    args: sync(t, () => cp.execFileSync('echo', ['a', 'b'])),
    options: sync(t, () => cp.execFileSync('pwd', { cwd: '/usr' })),
    both: sync(t, () => cp.execFileSync('pwd', [], { cwd: '/usr' })),
    undefinedArgs: sync(t, () => cp.execFileSync('pwd', undefined, { cwd: '/usr' })),
    nullArgs: sync(t, () => cp.execFileSync('pwd', null, { cwd: '/usr' })),
    undefinedOptions: sync(t, () => cp.execFileSync('echo', ['a'], undefined)),
    nullOptions: sync(t, () => cp.execFileSync('echo', ['a'], null)),
    optionsThenAnything: sync(t, () => cp.execFileSync('pwd', { cwd: '/usr' }, null)),
    optionsTwice: sync(t, () => cp.execFileSync('pwd', { cwd: '/usr' }, { cwd: '/etc' })),
    callbackSecond: sync(t, () => cp.execFileSync('pwd', () => t.log('called'))),
    callbackThird: sync(t, () => cp.execFileSync('echo', ['a'], () => t.log('called'))),
    callbackFourth: sync(t, () => cp.execFileSync('echo', ['a'], {}, () => t.log('called'))),
    none: sync(t, () => cp.execFileSync()),
  }),

  'execSync: the command': (cp, t) => forEachValue(t, (value) => cp.execSync(value, QUIET)),
  'execSync: the options': (cp, t) => forEachValue(t, (value) => cp.execSync('echo x', value)),
  'execFileSync: the file': (cp, t) => forEachValue(t, (value) => cp.execFileSync(value, QUIET)),
  'execFileSync: the second argument': (cp, t) => forEachValue(t, (value) => cp.execFileSync('echo', value)),
  'execFileSync: the second argument, with options after it': (cp, t) =>
    forEachValue(t, (value) => cp.execFileSync('echo', value, {})),
  'execFileSync: the third argument': (cp, t) => forEachValue(t, (value) => cp.execFileSync('echo', ['a'], value)),

  'arguments in the error': (cp, t) => forEachValue(t, (value) => cp.execFileSync('false', ['a b', value], QUIET)),

  'encodings': (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS) {
      outcomes[encoding] = {
        execSync: sync(t, () => cp.execSync('printf "\\303\\244\\377"', { encoding })),
        execFileSync: sync(t, () => cp.execFileSync('printf', ['\\303\\244\\377'], { encoding })),
        failing: sync(t, () =>
          cp.execSync('printf "\\303\\244\\377"; printf "\\303\\266" >&2; exit 2', { encoding, stdio: 'pipe' }),
        ),
        missing: sync(t, () => cp.execFileSync('no-such-program', { encoding })),
      };
    }
    return outcomes;
  },

  'encoding values': (cp, t) => forEachValue(t, (encoding) => cp.execSync('echo ä', { encoding })),

  'exit codes and signals': (cp, t) => ({
    codes: [1, 2, 127, 255].map((code) => sync(t, () => cp.execSync(`echo out; exit ${code}`))),
    signals: ['TERM', 'KILL', 'USR1'].map((name) => sync(t, () => cp.execSync(`echo out; kill -${name} $$`))),
    file: sync(t, () => cp.execFileSync('false')),
    fileWithArguments: sync(t, () => cp.execFileSync('false', ['a', 'b c'])),
    argv0: sync(t, () => cp.execFileSync('false', ['a'], { argv0: 'other' })),
    fileSignal: sync(t, () => cp.execFileSync('sh', ['-c', 'kill -KILL $$'])),
    empty: sync(t, () => cp.execSync('')),
    syntax: sync(t, () => cp.execSync('if', QUIET)),
    lines: sync(t, () => cp.execSync('echo a\nexit 4')),
  }),

  'stderr in the message': (cp, t) => ({
    execSync: sync(t, () => cp.execSync('echo err >&2; exit 3', QUIET)),
    bytes: sync(t, () => cp.execSync('printf "\\303\\244\\377" >&2; exit 3', QUIET)),
    hex: sync(t, () => cp.execSync('echo err >&2; exit 3', { ...QUIET, encoding: 'hex' })),
    much: sync(t, () => cp.execSync('head -c 100000 /dev/zero | tr "\\0" e >&2; exit 3', QUIET)),
    ignored: sync(t, () => cp.execSync('echo err >&2; exit 3', { stdio: 'ignore' })),
    ignoredAlone: sync(t, () => cp.execSync('echo out; echo err >&2; exit 3', { stdio: ['pipe', 'pipe', 'ignore'] })),
    execFileSync: sync(t, () => cp.execFileSync('sh', ['-c', 'echo err >&2; exit 3'], QUIET)),
  }),

  'programs that do not start': (cp, t) => {
    t.file('plain', 'x', 0o644);
    const outcomes = { command: sync(t, () => cp.execSync('no-such-program with arguments', QUIET)) };
    for (const file of ['no-such-program', './plain', '/usr', './plain/x'])
      outcomes[file] = sync(t, () => cp.execFileSync(file, ['a', 'b']));
    outcomes.cwd = sync(t, () => cp.execSync('pwd', { cwd: '/nonexistent-dir' }));
    outcomes.cwdOfFile = sync(t, () => cp.execFileSync('pwd', ['x'], { cwd: '/nonexistent-dir' }));
    outcomes.shell = sync(t, () => cp.execSync('true', { shell: '/nonexistent-shell' }));
    outcomes.argv0 = sync(t, () => cp.execFileSync('no-such-program', { argv0: 'other' }));
    outcomes.uid = sync(t, () => cp.execSync('true', { uid: -1 }));
    return outcomes;
  },

  'beyond the kernel’s limit': (cp, t) => {
    const attempt = (fn) => {
      try {
        return fn();
      } catch ({ code, errno, syscall, status, pid, output, message }) {
        return t.describe({ code, errno, syscall, status, pid, output, message });
      }
    };
    return {
      execSync: attempt(() => cp.execSync(`true ${'x'.repeat(200_000)}`)),
      execFileSync: attempt(() => cp.execFileSync('true', ['x'.repeat(200_000)])),
    };
  },

  'NUL bytes': (cp, t) => ({
    command: sync(t, () => cp.execSync('a\0b')),
    file: sync(t, () => cp.execFileSync('a\0b')),
    args: sync(t, () => cp.execFileSync('true', ['a', 'b\0'])),
    cwd: sync(t, () => cp.execSync('true', { cwd: '/\0' })),
    argv0: sync(t, () => cp.execFileSync('true', { argv0: '\0' })),
  }),

  'the error is of its own kind': (cp, t) => {
    try {
      return cp.execSync('echo out; exit 3');
    } catch (error) {
      return t.describe({
        keys: Object.keys(error),
        flags: Object.entries(Object.getOwnPropertyDescriptors(error))
          .filter(([key]) => key !== 'stack')
          .map(([key, { value, ...flags }]) => [key, Object.keys(flags).filter((name) => flags[name])]),
        itself: error.error === error,
        prototype: Object.getPrototypeOf(error) === Error.prototype,
        pid: typeof error.pid,
        stdout: error.stdout === error.output[1],
      });
    }
  },

  'the error of a program that does not start is its own error property': (cp, t) => {
    try {
      return cp.execFileSync('no-such-program');
    } catch (error) {
      return t.describe({ keys: Object.keys(error), itself: error.error === error });
    }
  },

  'limits': (cp, t) => ({
    timeout: sync(t, () => cp.execSync('echo before; exec sleep 5', { timeout: 300 })),
    timeoutOfFile: sync(t, () => cp.execFileSync('sleep', ['5'], { timeout: 60, killSignal: 'SIGKILL' })),
    withstood: sync(t, () =>
      cp.execSync('trap "exit 0" TERM; echo ready; while :; do sleep 0.02; done', { timeout: 300 }),
    ),
    maxBuffer: sync(t, () => cp.execSync('printf 0123456789; exec sleep 5', { maxBuffer: 9 })),
    maxBufferOfFile: sync(t, () =>
      cp.execFileSync('sh', ['-c', 'printf 0123456789; exec sleep 5'], { maxBuffer: 9, encoding: 'utf8' }),
    ),
    exactly: sync(t, () => cp.execFileSync('printf', ['0123456789'], { maxBuffer: 10 })),
    refused: [
      { timeout: -1 },
      { timeout: 'x' },
      { maxBuffer: -1 },
      { maxBuffer: 'x' },
      { killSignal: 'SIGNOTHING' },
      { killSignal: {} },
    ].map((options) => sync(t, () => cp.execSync('true', options))),
  }),

  'input': (cp, t) => ({
    string: sync(t, () => cp.execSync('cat', { input: 'text ä' })),
    bytes: sync(t, () => cp.execFileSync('cat', { input: Buffer.from('bytes') })),
    encoded: sync(t, () => cp.execFileSync('cat', { input: '616263', encoding: 'hex' })),
    large: sync(t, () => cp.execFileSync('cat', { input: Buffer.alloc(5 * MB, 'abc\n'), maxBuffer: 6 * MB })),
    notRead: sync(t, () => cp.execSync('sleep 0.1', { input: Buffer.alloc(5 * MB) })),
    refused: sync(t, () => cp.execSync('cat', { input: 7 })),
  }),

  'stdio': (cp, t) => {
    const outcomes = {};
    for (const stdio of [
      'pipe',
      'ignore',
      ['pipe', 'pipe', 'pipe'],
      ['pipe', 'ignore', 'pipe'],
      ['ignore', 'pipe', 'ignore'],
      ['pipe', 'pipe', 'pipe', 'pipe'],
    ]) {
      outcomes[JSON.stringify(stdio)] = {
        good: sync(t, () => cp.execSync('echo out; echo err >&2', { stdio })),
        bad: sync(t, () => cp.execFileSync('sh', ['-c', 'echo out; echo err >&2; exit 3'], { stdio })),
      };
    }
    outcomes.ipc = sync(t, () => cp.execSync('true', { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] }));
    outcomes.nonsense = sync(t, () => cp.execSync('true', { stdio: 'nonsense' }));
    return outcomes;
  },

  'stderr is written on to process.stderr': (cp, t) => ({
    execSync: withStderr(t, () => cp.execSync('echo out; echo err >&2')),
    execFileSync: withStderr(t, () => cp.execFileSync('sh', ['-c', 'echo out; echo err >&2'])),
    text: withStderr(t, () => cp.execSync('echo ä >&2', { encoding: 'utf8' })),
    hex: withStderr(t, () => cp.execSync('echo ä >&2', { encoding: 'hex' })),
    failing: withStderr(t, () => cp.execSync('echo err >&2; exit 3')),
    nothing: withStderr(t, () => cp.execSync('true')),
    missing: withStderr(t, () => cp.execFileSync('no-such-program')),
    piped: withStderr(t, () => cp.execSync('echo err >&2', QUIET)),
    ignored: withStderr(t, () => cp.execSync('echo err >&2', { stdio: 'ignore' })),
    nullStdio: withStderr(t, () => cp.execSync('echo err >&2', { stdio: null })),
    emptyStdio: withStderr(t, () => cp.execSync('echo err >&2', { stdio: '' })),
    timeout: withStderr(t, () => cp.execSync('echo err >&2; exec sleep 5', { timeout: 300 })),
    twice: withStderr(t, () => cp.execSync('echo one >&2; sleep 0.05; echo two >&2')),
  }),

  'stderr of the process gets what the child wrote': (cp, t) =>
    t.inNewProcess(
      (cp) => {
        console.error('before');
        cp.execSync('echo from execSync >&2');
        cp.execFileSync('sh', ['-c', 'echo from execFileSync >&2']);
        try {
          cp.execSync('echo from a failure >&2; exit 3');
        } catch {
          console.error('caught');
        }
        cp.execSync('echo inherited; echo inherited too >&2', { stdio: 'inherit' });
        cp.execFileSync('sh', ['-c', 'echo not seen >&2'], { stdio: 'pipe' });
        return String(cp.execSync('cat', { stdio: ['inherit', 'pipe', 'inherit'] }));
      },
      { input: 'from outside' },
    ),

  'spawnSync keeps stderr for itself': (cp, t) => withStderr(t, () => cp.spawnSync('sh', ['-c', 'echo err >&2'])),

  'cwd, env, shell, uid': (cp, t) => ({
    cwd: sync(t, () => cp.execSync('pwd', { cwd: new URL('file:///usr') })),
    env: sync(t, () => cp.execSync('echo "$A"', { env: { A: 'ä' } })),
    bash: sync(t, () => cp.execSync('echo $((2 ** 3)) "$0"', { shell: '/bin/bash' })),
    notAString: [true, false, null, undefined, 7, {}].map((shell) =>
      sync(t, () => cp.execSync('echo "$0"', { shell })),
    ),
    emptyShell: sync(t, () => cp.execSync('pwd', { shell: '' })),
    file: sync(t, () => cp.execFileSync('echo "$0"', { shell: true })),
    fileWithoutShell: sync(t, () => cp.execFileSync('echo', ['$HOME'], { shell: false })),
    uid: sync(t, () => cp.execSync('id -u', { uid: 65534 })),
    argv0: sync(t, () => cp.execFileSync('cat', ['/proc/self/cmdline'], { argv0: 'other' })),
    argv0OfShell: sync(t, () => cp.execSync('cat /proc/$$/cmdline', { argv0: 'other' })),
  }),

  'the first thing wrong is the one that is reported': (cp, t) => {
    const wrong = {
      argv0: 1,
      cwd: 1,
      detached: 1,
      uid: 'x',
      gid: 'x',
      shell: 1,
      windowsHide: 1,
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
      const options = Object.fromEntries(keys.slice(i).map((name) => [name, wrong[name]]));
      outcomes[key] = {
        execSync: sync(t, () => cp.execSync('true', options)),
        execFileSync: sync(t, () => cp.execFileSync('true', ['\0'], options)),
        file: sync(t, () => cp.execFileSync(1, options)),
      };
    });
    return outcomes;
  },

  'a grandchild that keeps the pipes open is waited for': (cp, t) =>
    sync(t, () => cp.execSync('(sleep 0.3; echo late) & echo early')),

  'options are not changed': (cp, t) => {
    const options = Object.freeze({ encoding: 'utf8', stdio: Object.freeze(['pipe', 'pipe', 'pipe']) });
    return {
      execSync: sync(t, () => cp.execSync('echo x', options)),
      execFileSync: sync(t, () => cp.execFileSync('echo', Object.freeze(['x']), options)),
      options,
    };
  },
};
