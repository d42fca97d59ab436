'use strict';

// execFile(file, args, options, callback): call shapes, results, failures.

const fs = require('node:fs');
const path = require('node:path');

const { collect } = require('../collected');
const { NOT_PASSED_ON } = require('../options');
const values = require('../values');

// A class as a callback throws within 'close', whose other listeners then never hear of it.
const NO_CLASS = { skip: ['a class'] };

async function forEachValue(t, start, { skip = [] } = {}) {
  const outcomes = {};
  for (const [label, value] of values()) {
    if (!skip.includes(label))
      outcomes[label] = await collect(t, (callback) => start(value, callback), { callback: false });
  }
  return outcomes;
}

module.exports = {
  'output of both kinds and success': (cp, t) =>
    collect(t, (callback) => cp.execFile('sh', ['-c', 'echo out; echo err >&2'], callback)),

  'every call shape': async (cp, t) => {
    const args = ['a', 'b'];
    const options = { encoding: 'hex' };
    return {
      file: await collect(t, () => cp.execFile('echo'), { callback: false }),
      callback: await collect(t, (callback) => cp.execFile('echo', callback)),
      args: await collect(t, () => cp.execFile('echo', args), { callback: false }),
      argsCallback: await collect(t, (callback) => cp.execFile('echo', args, callback)),
      options: await collect(t, () => cp.execFile('echo', options), { callback: false }),
      optionsCallback: await collect(t, (callback) => cp.execFile('echo', options, callback)),
      argsOptions: await collect(t, () => cp.execFile('echo', args, options), { callback: false }),
      argsOptionsCallback: await collect(t, (callback) => cp.execFile('echo', args, options, callback)),
    };
  },

  'null and undefined in every position': async (cp, t) => {
    const outcomes = {};
    for (const args of [['a'], null, undefined]) {
      for (const options of [{ encoding: 'hex' }, null, undefined]) {
        for (const given of [true, null, undefined]) {
          const label = `${args} ${options && 'options'} ${given === true ? 'callback' : given}`;
          outcomes[label] = await collect(
            t,
            (callback) => cp.execFile('echo', args, options, given === true ? callback : given),
            { callback: given === true },
          );
        }
      }
      outcomes[`${args} callback`] = await collect(t, (callback) => cp.execFile('echo', args, callback));
    }
    for (const options of [null, undefined])
      outcomes[`${options} callback in second place`] = await collect(t, (callback) =>
        cp.execFile('echo', options, callback),
      );
    return outcomes;
  },

  'more than one callback': async (cp, t) => {
    const unused = (label) => () => t.log(`${label} was called`);
    return {
      second: await collect(t, (callback) => cp.execFile('echo', callback, unused('third'), unused('fourth'))),
      third: await collect(t, (callback) => cp.execFile('echo', ['a'], callback, unused('fourth'))),
      afterOptions: await collect(t, (callback) => cp.execFile('echo', {}, callback, unused('fourth'))),
    };
  },

  'the file is a non-empty string without NUL': (cp, t) =>
    forEachValue(t, (value, callback) => cp.execFile(value, callback)),

  'no argument at all': (cp, t) => ({
    none: t.attempt(() => cp.execFile()),
    onlyACallback: t.attempt(() => cp.execFile(() => {})),
  }),

  'the second argument': (cp, t) =>
    forEachValue(t, (value, callback) => cp.execFile('echo', value, callback), NO_CLASS),

  'the second argument, with options and a callback after it': (cp, t) =>
    forEachValue(t, (value, callback) => cp.execFile('echo', value, {}, callback), NO_CLASS),

  'the third argument': (cp, t) =>
    forEachValue(t, (value, callback) => cp.execFile('echo', ['a'], value, callback), NO_CLASS),

  'the third argument after options': (cp, t) =>
    forEachValue(t, (value) => cp.execFile('echo', { encoding: 'utf8' }, value), NO_CLASS),

  'the fourth argument': (cp, t) => forEachValue(t, (value) => cp.execFile('echo', ['a'], {}, value), NO_CLASS),

  'arguments that are not strings': async (cp, t) => {
    const outcomes = {};
    for (const [label, value] of values()) {
      if (!Array.isArray(value))
        outcomes[label] = await collect(t, (callback) => cp.execFile('printf', ['%s', value], callback));
    }
    return outcomes;
  },

  'arguments reach the program as they are': (cp, t) =>
    collect(t, (callback) =>
      cp.execFile(
        'printf',
        ['[%s]', '', ' ', 'a b', '$HOME', '`x`', '"', "'", '\n', '*', '-n', '--', 'ä', '😀', '\uD800'],
        callback,
      ),
    ),

  'the array of arguments is not changed, and changes to it do nothing': async (cp, t) => {
    const args = ['a', 'b'];
    const outcome = await collect(t, (callback) => cp.execFile('sh', ['-c', 'sleep 0.05; exit 3', ...args], callback));
    const changing = ['-c', 'sleep 0.05; exit 3', 'x'];
    const changed = await collect(t, (callback) => cp.execFile('sh', changing, callback), {
      touch: () => {
        changing[2] = 'y';
      },
    });
    const frozen = await collect(t, (callback) =>
      cp.execFile('echo', Object.freeze(['z']), Object.freeze({}), callback),
    );
    return { args, outcome, changed, frozen };
  },

  'the command in the error: file and arguments as they were given': async (cp, t) => ({
    none: await collect(t, (callback) => cp.execFile('false', callback)),
    empty: await collect(t, (callback) => cp.execFile('false', [], callback)),
    some: await collect(t, (callback) => cp.execFile('false', ['a b', '', 'ä', 7, null], callback)),
    path: await collect(t, (callback) => cp.execFile('/bin/false', ['x'], callback)),
    argv0: await collect(t, (callback) => cp.execFile('false', ['x'], { argv0: 'other' }, callback)),
    signal: await collect(t, (callback) => cp.execFile('sh', ['-c', 'kill -KILL $$'], callback)),
  }),

  'failures with output': async (cp, t) => ({
    text: await collect(t, (callback) => cp.execFile('sh', ['-c', 'echo out; echo err >&2; exit 3'], callback)),
    bytes: await collect(t, (callback) =>
      cp.execFile('sh', ['-c', 'echo out; echo err >&2; exit 3'], { encoding: 'buffer' }, callback),
    ),
  }),

  'programs that do not start': async (cp, t) => {
    t.file('plain', 'x', 0o644);
    t.file('bad-interpreter', '#!/nonexistent-interpreter\n');
    fs.symlinkSync('circle', path.join(t.dir, 'circle'));
    const outcomes = {};
    for (const file of [
      'no-such-program',
      './no-such-file',
      './plain',
      '/',
      '/usr',
      './plain/x',
      './bad-interpreter',
      './circle',
      `./${'n'.repeat(300)}`,
      '/nonexistent-dir/x',
    ]) {
      outcomes[file] = await collect(t, (callback) => cp.execFile(file, ['a', 'b'], callback), { callback: false });
    }
    return outcomes;
  },

  'a program that does not start, without a callback': async (cp, t) => ({
    missing: await collect(t, () => cp.execFile('no-such-program'), { callback: false }),
    cwd: await collect(t, () => cp.execFile('true', { cwd: '/nonexistent-dir' }), { callback: false }),
  }),

  'a program that does not start: the child it returns': async (cp, t) => {
    const child = cp.execFile('no-such-program', ['x'], () => t.log('callback'));
    const { pid, spawnfile, spawnargs, exitCode, killed } = child;
    t.log('returned');
    await new Promise((resolve) => child.on('close', resolve));
    return { pid, spawnfile, spawnargs, exitCode, killed, later: child.exitCode };
  },

  'a missing cwd': async (cp, t) => ({
    missing: await collect(t, (callback) => cp.execFile('pwd', { cwd: '/nonexistent-dir' }, callback)),
    file: await collect(t, (callback) => cp.execFile('pwd', { cwd: '/etc/passwd' }, callback)),
  }),

  'beyond the kernel’s limit': (cp, t) =>
    t.attempt(() => cp.execFile('true', ['x'.repeat(200_000)], () => t.log('called'))),

  'NUL bytes': (cp, t) => ({
    file: t.attempt(() => cp.execFile('a\0b', () => {})),
    args: t.attempt(() => cp.execFile('true', ['a', 'b\0'], () => {})),
    cwd: t.attempt(() => cp.execFile('true', { cwd: '/\0' }, () => {})),
    env: t.attempt(() => cp.execFile('true', { env: { A: '\0' } }, () => {})),
    argv0: t.attempt(() => cp.execFile('true', { argv0: '\0' }, () => {})),
    shell: t.attempt(() => cp.execFile('true', { shell: '/bin/sh\0' }, () => {})),
  }),

  'cwd, env, uid, gid': async (cp, t) => ({
    cwd: await collect(t, (callback) => cp.execFile('pwd', { cwd: '/usr' }, callback)),
    url: await collect(t, (callback) => cp.execFile('pwd', { cwd: new URL('file:///usr') }, callback)),
    env: await collect(t, (callback) => cp.execFile('env', { env: { PATH: '/usr/bin:/bin', A: 'ä' } }, callback)),
    path: await collect(t, (callback) => cp.execFile('env', { env: { PATH: '/none' } }, callback)),
    uid: await collect(t, (callback) => cp.execFile('id', ['-u'], { uid: 65534 }, callback)),
    gid: await collect(t, (callback) => cp.execFile('id', ['-g'], { gid: 65534 }, callback)),
    refused: await collect(t, (callback) => cp.execFile('id', { uid: -1 }, callback)),
  }),

  'shell': async (cp, t) => ({
    true: await collect(t, (callback) => cp.execFile('echo "$0" $((1 + 1))', { shell: true }, callback)),
    path: await collect(t, (callback) => cp.execFile('echo "$0" $((2 ** 3))', { shell: '/bin/bash' }, callback)),
    false: await collect(t, (callback) => cp.execFile('echo', ['$HOME'], { shell: false }, callback)),
    empty: await collect(t, (callback) => cp.execFile('echo', ['$HOME'], { shell: '' }, callback)),
    missing: await collect(t, (callback) => cp.execFile('echo', { shell: '/nonexistent-shell' }, callback)),
    failing: await collect(t, (callback) => cp.execFile('exit 3', { shell: true }, callback)),
    wrong: await forEachValue(t, (value, callback) => cp.execFile('true', { shell: value }, callback)),
  }),

  'shell and arguments, with the warning of this Node': {
    alone: true,
    run: async (cp, t) => ({
      first: await collect(t, (callback) =>
        cp.execFile('echo', ['a', 'b  c', '$((1 + 1))'], { shell: true }, callback),
      ),
      failing: await collect(t, (callback) => cp.execFile('exit', ['3'], { shell: true }, callback)),
    }),
  },

  'argv0 is checked and not used': async (cp, t) => ({
    given: await collect(t, (callback) => cp.execFile('cat', ['/proc/self/cmdline'], { argv0: 'other' }, callback)),
    wrong: await forEachValue(t, (value, callback) => cp.execFile('true', { argv0: value }, callback)),
  }),

  'options of spawn that execFile does not pass on': async (cp, t) => {
    const outcomes = {};
    for (const [key, value] of Object.entries(NOT_PASSED_ON)) {
      outcomes[key] = await collect(t, (callback) => cp.execFile('echo', ['x'], { [key]: value }, callback));
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
      shell: 1,
      env: { A: '\0' },
      signal: 1,
    };
    const keys = Object.keys(wrong);
    const outcomes = {
      callback: t.attempt(() => cp.execFile(1, ['\0'], wrong, 1)),
      options: t.attempt(() => cp.execFile(1, ['\0'], 1, 1)),
      timeout: t.attempt(() => cp.execFile(1, ['\0'], { ...wrong, argv0: 'x' }, () => {})),
      file: t.attempt(() => cp.execFile(1, ['\0'], { cwd: 1 }, () => {})),
      args: t.attempt(() => cp.execFile('true', ['\0'], { cwd: 1 }, () => {})),
    };
    keys.forEach((key, i) => {
      outcomes[key] = t.attempt(() =>
        cp.execFile('true', [], Object.fromEntries(keys.slice(i).map((name) => [name, wrong[name]])), () => {}),
      );
    });
    return outcomes;
  },

  'a polluted Object.prototype adds no option': async (cp, t) => {
    const pollution = {
      shell: '/nonexistent-shell',
      cwd: '/nonexistent-dir',
      encoding: 'hex',
      timeout: 'x',
      maxBuffer: 'x',
      killSignal: 'x',
      uid: 'x',
      gid: 'x',
      env: { A: 'polluted' },
    };
    const outcomes = {};
    for (const [key, value] of Object.entries(pollution)) {
      for (const [form, options] of [
        ['none', undefined],
        ['empty', {}],
        ['null prototype', Object.create(null)],
      ]) {
        outcomes[`${key} ${form}`] = await collect(
          t,
          (callback) => {
            Object.prototype[key] = value;
            try {
              return cp.execFile('sh', ['-c', 'pwd; echo $A'], options, callback);
            } finally {
              delete Object.prototype[key];
            }
          },
          { callback: false },
        );
      }
    }
    return outcomes;
  },
};
