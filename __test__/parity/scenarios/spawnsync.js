'use strict';

// spawnSync(file, args, options): call shapes, the result object, encodings, failures.

const fs = require('node:fs');
const path = require('node:path');

const { sync, syncForEachValue: forEachValue } = require('../collected');
const values = require('../values');

// prettier-ignore
const ENCODINGS = [
  'utf8', 'UTF-8', 'latin1', 'binary', 'ascii', 'hex', 'base64', 'base64url', 'utf16le', 'ucs2', 'buffer', 'BUFFER',
  'no-such-encoding', '', null, undefined,
];
const BYTES = 'printf "\\303\\244\\342\\202\\254\\377\\000z"';

module.exports = {
  'the result of a success': (cp, t) => sync(t, () => cp.spawnSync('sh', ['-c', 'echo out; echo err >&2'])),

  'the result is a plain object whose properties may be changed': (cp, t) => {
    const result = cp.spawnSync('echo', ['x']);
    return t.describe({
      plain: Object.getPrototypeOf(result) === Object.prototype,
      properties: Object.entries(Object.getOwnPropertyDescriptors(result)).map(([key, { value, ...flags }]) => [
        key,
        flags,
      ]),
      array: Array.isArray(result.output),
      pid: typeof result.pid,
    });
  },

  'exit codes': (cp, t) =>
    [1, 2, 42, 126, 127, 128, 255].map((code) =>
      sync(t, () => cp.spawnSync('sh', ['-c', `echo out; echo err >&2; exit ${code}`])),
    ),

  'ended by a signal': (cp, t) =>
    ['TERM', 'KILL', 'USR1', 'HUP', 'PIPE', 'ABRT'].map((name) =>
      sync(t, () => cp.spawnSync('sh', ['-c', `echo out; kill -${name} $$`])),
    ),

  'ended by a real-time signal': (cp, t) => sync(t, () => cp.spawnSync('sh', ['-c', 'kill -40 $$'])),

  'every call shape': (cp, t) => ({
    file: sync(t, () => cp.spawnSync('pwd')),
    args: sync(t, () => cp.spawnSync('echo', ['a', 'b'])),
    options: sync(t, () => cp.spawnSync('pwd', { cwd: '/usr' })),
    both: sync(t, () => cp.spawnSync('pwd', [], { cwd: '/usr' })),
    undefinedArgs: sync(t, () => cp.spawnSync('pwd', undefined, { cwd: '/usr' })),
    nullArgs: sync(t, () => cp.spawnSync('pwd', null, { cwd: '/usr' })),
    undefinedOptions: sync(t, () => cp.spawnSync('echo', ['a'], undefined)),
    nullOptions: sync(t, () => cp.spawnSync('echo', ['a'], null)),
    optionsTwice: sync(t, () => cp.spawnSync('pwd', { cwd: '/usr' }, { cwd: '/etc' })),
    none: sync(t, () => cp.spawnSync()),
    aCallback: sync(t, () => cp.spawnSync('true', () => t.log('called'))),
  }),

  'the file': (cp, t) => forEachValue(t, (value) => cp.spawnSync(value)),

  'the second argument': (cp, t) => forEachValue(t, (value) => cp.spawnSync('echo', value)),

  'the third argument': (cp, t) => forEachValue(t, (value) => cp.spawnSync('echo', [], value)),

  'arguments that are not strings': (cp, t) => {
    const outcomes = {};
    for (const [label, value] of values()) {
      if (!Array.isArray(value)) outcomes[label] = sync(t, () => cp.spawnSync('printf', ['%s', value]));
    }
    return outcomes;
  },

  'arguments reach the program as they are': (cp, t) =>
    sync(t, () =>
      cp.spawnSync('printf', [
        '[%s]',
        '',
        ' ',
        'a b',
        '$HOME',
        '`x`',
        '"',
        "'",
        '\n',
        '*',
        '--',
        'ä',
        '😀',
        '\uD800',
        ,
        'hole',
      ]),
    ),

  'the arguments and options are not changed': (cp, t) => {
    const args = Object.freeze(['a']);
    const options = Object.freeze({ cwd: '/', stdio: Object.freeze(['pipe', 'pipe', 'pipe']) });
    return { frozen: sync(t, () => cp.spawnSync('echo', args, options)), options };
  },

  'every encoding': (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS)
      outcomes[encoding] = sync(t, () => cp.spawnSync('sh', ['-c', `${BYTES}; ${BYTES} >&2`], { encoding }));
    return outcomes;
  },

  'every encoding, and no output': (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS) outcomes[encoding] = sync(t, () => cp.spawnSync('true', { encoding }));
    return outcomes;
  },

  'every encoding, and a program that does not start': (cp, t) => {
    const outcomes = {};
    for (const encoding of ENCODINGS) outcomes[encoding] = sync(t, () => cp.spawnSync('no-such-program', { encoding }));
    return outcomes;
  },

  'encodings that are no names': (cp, t) => forEachValue(t, (encoding) => cp.spawnSync('echo', ['ä'], { encoding })),

  'an unknown encoding is found out after the program ran': (cp, t) => {
    const outcome = sync(t, () =>
      cp.spawnSync('sh', ['-c', 'echo ran > ran; echo x'], { encoding: 'no-such-encoding' }),
    );
    return { outcome, ran: fs.existsSync(path.join(t.dir, 'ran')) };
  },

  'characters that arrive in pieces, characters cut off': (cp, t) => {
    const outcomes = {};
    for (const encoding of ['utf8', 'utf16le', 'hex', 'base64', 'buffer']) {
      outcomes[encoding] = {
        pieces: sync(t, () =>
          cp.spawnSync('sh', ['-c', "printf '\\360'; sleep 0.03; printf '\\237\\230'; sleep 0.03; printf '\\200x'"], {
            encoding,
          }),
        ),
        cut: sync(t, () => cp.spawnSync('printf', ['a\\303'], { encoding })),
        wrong: sync(t, () => cp.spawnSync('printf', ['a\\355\\240\\200\\377b'], { encoding })),
        mark: sync(t, () => cp.spawnSync('printf', ['\\357\\273\\277a'], { encoding })),
      };
    }
    return outcomes;
  },

  'programs that do not start': (cp, t) => {
    t.file('plain', 'x', 0o644);
    t.file('empty', '');
    t.file('bad-interpreter', '#!/nonexistent-interpreter\n');
    fs.symlinkSync('circle', path.join(t.dir, 'circle'));
    const outcomes = {};
    for (const file of [
      'no-such-program',
      './no-such-file',
      './plain',
      './empty',
      '/',
      '/usr',
      './plain/x',
      './bad-interpreter',
      './circle',
      `./${'n'.repeat(300)}`,
      '/nonexistent-dir/x',
    ]) {
      outcomes[file] = sync(t, () => cp.spawnSync(file, ['a', 'b']));
    }
    return outcomes;
  },

  'a program that does not start, with options': (cp, t) => ({
    argv0: sync(t, () => cp.spawnSync('no-such-program', ['a'], { argv0: 'other' })),
    shell: sync(t, () => cp.spawnSync('true', { shell: '/nonexistent-shell' })),
    input: sync(t, () => cp.spawnSync('no-such-program', { input: 'x' })),
    timeout: sync(t, () => cp.spawnSync('no-such-program', { timeout: 5000 })),
    stdio: sync(t, () => cp.spawnSync('no-such-program', { stdio: 'ignore' })),
    cwd: sync(t, () => cp.spawnSync('pwd', ['x'], { cwd: '/nonexistent-dir' })),
    cwdThatIsAFile: sync(t, () => cp.spawnSync('pwd', { cwd: '/etc/passwd' })),
    uid: sync(t, () => cp.spawnSync('id', ['-u'], { uid: -1 })),
    gid: sync(t, () => cp.spawnSync('id', ['-g'], { gid: -1 })),
    tooBig: sync(t, () => cp.spawnSync('true', ['x'.repeat(200_000)])).returned?.error?.own?.code,
  }),

  'NUL bytes': (cp, t) => ({
    file: sync(t, () => cp.spawnSync('a\0b')),
    args: sync(t, () => cp.spawnSync('true', ['a', 'b\0'])),
    cwd: sync(t, () => cp.spawnSync('true', { cwd: '/\0' })),
    env: sync(t, () => cp.spawnSync('true', { env: { A: '\0' } })),
    argv0: sync(t, () => cp.spawnSync('true', { argv0: '\0' })),
    shell: sync(t, () => cp.spawnSync('true', { shell: '/bin/sh\0' })),
  }),

  'nothing else runs meanwhile': async (cp, t) => {
    const order = [];
    setImmediate(() => order.push('immediate'));
    process.nextTick(() => order.push('tick'));
    Promise.resolve().then(() => order.push('promise'));
    cp.spawnSync('sleep', ['0.05']);
    order.push('returned');
    await t.sleep(20);
    return order;
  },

  'while other children run and end': async (cp, t) => {
    const recorded = [1, 2, 3].map((code) => t.outcome(() => cp.spawn('sh', ['-c', `echo ${code}; exit ${code}`])));
    const results = [4, 5, 6].map((code) =>
      sync(t, () => cp.spawnSync('sh', ['-c', `sleep 0.05; echo ${code}; exit ${code}`])),
    );
    return { results, recorded: await Promise.all(recorded) };
  },

  'in a listener of another child, and within a callback': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const outcome = await new Promise((resolve) =>
      child.on('exit', () => resolve(sync(t, () => cp.spawnSync('echo', ['within'])))),
    );
    return {
      outcome,
      within: await new Promise((resolve) =>
        cp.exec('true', () => resolve(sync(t, () => cp.spawnSync('echo', ['within'])))),
      ),
    };
  },

  'forty one after another': (cp) =>
    Array.from({ length: 40 }, (_, i) => cp.spawnSync('sh', ['-c', `echo ${i}; exit ${i}`], { encoding: 'utf8' })).map(
      ({ status, stdout }) => [status, stdout],
    ),

  'a listener of SIGCHLD and signals meanwhile': async (cp, t) => {
    let heard = 0;
    const onSignal = () => {
      heard += 1;
    };
    process.on('SIGCHLD', onSignal);
    process.on('SIGUSR2', onSignal);
    const outcome = sync(t, () => cp.spawnSync('sh', ['-c', 'kill -USR2 $PPID; sleep 0.05; exit 3']));
    const during = heard;
    await t.sleep(50);
    process.off('SIGCHLD', onSignal);
    process.off('SIGUSR2', onSignal);
    return { outcome, during, after: heard > 0 };
  },
};
