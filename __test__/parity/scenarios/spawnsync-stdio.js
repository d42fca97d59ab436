'use strict';

// input and stdio of spawnSync: data in, data out, descriptors, nothing at all.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { sync } = require('../collected');
const values = require('../values');

const MB = 1 << 20;

const sha1 = (bytes) => createHash('sha1').update(bytes).digest('hex');

function through(cp, t, options) {
  return sync(t, () => cp.spawnSync('cat', { maxBuffer: Infinity, ...options }));
}

/** The view, once its memory has been given away. */
function detached(view) {
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

// Says of each of its first six descriptors what it is.
// No pipe of the shell's own, which would be among what is listed for as long as its left side starts.
const LOOK = [
  '-c',
  `for fd in 0 1 2 3 4 5
  do if [ -S /proc/$$/fd/$fd ]; then echo socket; else readlink /proc/$$/fd/$fd || echo closed; fi
  done`,
];

module.exports = {
  'input: strings': (cp, t) => ({
    text: through(cp, t, { input: 'text ä 😀' }),
    empty: through(cp, t, { input: '' }),
    surrogate: through(cp, t, { input: '\uD800' }),
    nul: through(cp, t, { input: 'a\0b' }),
    latin1: through(cp, t, { input: 'ä', encoding: 'latin1' }),
    hex: through(cp, t, { input: '616263', encoding: 'hex' }),
    base64: through(cp, t, { input: 'YWJj', encoding: 'base64' }),
    utf16le: through(cp, t, { input: 'ä', encoding: 'utf16le' }),
    buffer: through(cp, t, { input: 'ä', encoding: 'buffer' }),
    unknown: through(cp, t, { input: 'ä', encoding: 'no-such-encoding' }),
    number: through(cp, t, { input: 'ä', encoding: 7 }),
  }),

  'input: every view of bytes': (cp, t) => {
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => i + 32);
    const outcomes = {
      Buffer: through(cp, t, { input: Buffer.from(bytes) }),
      DataView: through(cp, t, { input: new DataView(bytes.buffer) }),
    };
    const kinds = [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
      globalThis.Float16Array,
    ].filter(Boolean);
    for (const Kind of kinds) outcomes[Kind.name] = through(cp, t, { input: new Kind(bytes.buffer) });
    return outcomes;
  },

  'input: parts of a larger buffer': (cp, t) => {
    const { buffer } = Uint8Array.from({ length: 64 }, (_, i) => i + 32);
    return {
      Buffer: through(cp, t, { input: Buffer.from(buffer, 5, 7) }),
      DataView: through(cp, t, { input: new DataView(buffer, 3, 9) }),
      Uint32Array: through(cp, t, { input: new Uint32Array(buffer, 8, 3) }),
      emptyBuffer: through(cp, t, { input: Buffer.alloc(0) }),
      emptyView: through(cp, t, { input: new DataView(buffer, 4, 0) }),
      shared: through(cp, t, { input: new Uint8Array(new SharedArrayBuffer(4)).fill(65) }),
      detached: through(cp, t, { input: detached(new Uint8Array(4)) }),
      detachedView: through(cp, t, { input: detached(new DataView(new ArrayBuffer(4))) }),
    };
  },

  'input that is refused': (cp, t) => {
    const outcomes = { ArrayBuffer: through(cp, t, { input: new ArrayBuffer(4) }) };
    for (const [label, input] of values()) outcomes[label] = through(cp, t, { input });
    return outcomes;
  },

  '5 MB of input echoed back': (cp, t) => {
    const input = Buffer.alloc(5 * MB, 'a line that comes back ä\n');
    const { stdout, status, error } = cp.spawnSync('cat', { input, maxBuffer: Infinity });
    return t.describe({ same: sha1(stdout) === sha1(input), status, error });
  },

  '5 MB of input echoed back on both streams': (cp, t) => {
    const input = Buffer.alloc(5 * MB, 'a line that comes back ä\n');
    const { stdout, stderr, status, error } = cp.spawnSync('tee', ['/dev/stderr'], { input, maxBuffer: Infinity });
    return t.describe({ stdout: stdout.length, stderr: stderr.length, status, error });
  },

  'a child that never reads its input': (cp, t) => ({
    large: sync(t, () => cp.spawnSync('sleep', ['0.1'], { input: Buffer.alloc(5 * MB) })),
    small: sync(t, () => cp.spawnSync('sleep', ['0.1'], { input: 'x' })),
    someOfIt: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'head -c 10; sleep 0.1; exit 4'], { input: Buffer.alloc(5 * MB, 'abc') }),
    ),
    closed: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'exec 0<&-; echo closed; sleep 0.1'], { input: Buffer.alloc(5 * MB) }),
    ),
  }),

  'a child that reads its input late': (cp, t) =>
    sync(t, () => cp.spawnSync('sh', ['-c', 'sleep 0.15; wc -c'], { input: Buffer.alloc(3 * MB) })),

  'no input is an empty one': (cp, t) => sync(t, () => cp.spawnSync('wc', ['-c'])),

  'much output': (cp, t) => {
    const outcomes = {};
    for (const encoding of ['buffer', 'utf8']) {
      const { stdout, stderr, status } = cp.spawnSync(
        'sh',
        ['-c', `yes 'a line ä' | head -c ${6 * MB}; yes 'an error ö' | head -c ${2 * MB} >&2`],
        { maxBuffer: Infinity, encoding },
      );
      outcomes[encoding] = t.describe({ stdout, stderr, status });
    }
    return outcomes;
  },

  // Not 'overlapped': it takes the builtin down.
  'the shortcuts': (cp, t) => {
    const outcomes = {};
    for (const stdio of [
      'pipe',
      'ignore',
      ['ignore'],
      ['pipe', 'ignore'],
      ['ignore', 'pipe', 'pipe'],
      ['ignore', 'ignore', 'pipe'],
      [],
      [null, undefined, null],
      ['pipe', 'pipe', 'pipe'],
    ]) {
      outcomes[JSON.stringify(stdio)] = sync(t, () => cp.spawnSync('sh', ['-c', 'echo out; echo err >&2'], { stdio }));
    }
    return outcomes;
  },

  'what the child finds': (cp, t) => ({
    pipes: sync(t, () => cp.spawnSync('sh', LOOK)),
    ignored: sync(t, () => cp.spawnSync('sh', LOOK, { stdio: ['ignore', 'pipe', 'ignore'] })),
    five: sync(t, () => cp.spawnSync('sh', LOOK, { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'ignore', 'pipe'] })),
    input: sync(t, () => cp.spawnSync('sh', LOOK, { input: 'x' })),
  }),

  'extra pipes and their output': (cp, t) => ({
    one: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'echo out; echo three >&3'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }),
    ),
    several: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'echo five >&5; echo three >&3'], {
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'ignore', 'pipe'],
        encoding: 'utf8',
      }),
    ),
    null: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'echo four >&4'], { stdio: ['pipe', 'pipe', 'pipe', null, 'pipe', undefined] }),
    ),
    much: sync(t, () =>
      cp.spawnSync('sh', ['-c', `yes | head -c ${MB} >&3; yes no | head -c ${MB}`], {
        stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
        maxBuffer: Infinity,
      }),
    ),
    failing: sync(t, () => cp.spawnSync('no-such-program', { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })),
  }),

  'descriptors': (cp, t) => {
    const file = path.join(t.dir, 'output');
    const out = fs.openSync(file, 'w');
    const input = fs.openSync(t.file('input', 'from a file\n', 0o644), 'r');
    try {
      const outcomes = {
        out: sync(t, () => cp.spawnSync('sh', ['-c', 'echo out; echo err >&2'], { stdio: ['ignore', out, 'pipe'] })),
        both: sync(t, () => cp.spawnSync('sh', ['-c', 'echo out; echo err >&2'], { stdio: ['ignore', out, out] })),
        in: sync(t, () => cp.spawnSync('cat', { stdio: [input, 'pipe', 'pipe'] })),
        extra: sync(t, () => cp.spawnSync('sh', ['-c', 'echo three >&3'], { stdio: ['pipe', 'pipe', 'pipe', out] })),
        object: sync(t, () => cp.spawnSync('sh', ['-c', 'echo object'], { stdio: ['ignore', { fd: out }, 'pipe'] })),
        stream: sync(t, () =>
          cp.spawnSync('sh', ['-c', 'echo stream'], {
            stdio: ['ignore', Object.assign(fs.createWriteStream(null, { fd: out, autoClose: false })), 'pipe'],
          }),
        ),
        inputBeside: sync(t, () => cp.spawnSync('cat', { stdio: [input, 'pipe', 'pipe'], input: 'x' })),
        negative: sync(t, () => cp.spawnSync('echo', ['x'], { stdio: ['pipe', -1, 'pipe'] })),
      };
      return { outcomes, file: fs.readFileSync(file, 'utf8') };
    } finally {
      fs.closeSync(out);
      fs.closeSync(input);
    }
  },

  'a descriptor that is not open': (cp, t) =>
    sync(t, () => cp.spawnSync('true', { stdio: ['pipe', 'pipe', 'pipe', 9999] })),

  'input with stdio that has no pipe for it': (cp, t) => ({
    ignore: sync(t, () => cp.spawnSync('cat', { stdio: 'ignore', input: 'x' })),
    ignored: sync(t, () => cp.spawnSync('cat', { stdio: ['ignore', 'pipe', 'pipe'], input: 'x' })),
    pipe: sync(t, () => cp.spawnSync('cat', { stdio: ['pipe', 'pipe', 'pipe'], input: 'x' })),
    onlyOut: sync(t, () => cp.spawnSync('cat', { stdio: ['pipe', 'ignore', 'ignore'], input: 'x' })),
  }),

  'strings and bytes as stdio': (cp, t) => ({
    string: sync(t, () => cp.spawnSync('cat', { stdio: ['text', 'pipe', 'pipe'], timeout: 250 })),
    buffer: sync(t, () => cp.spawnSync('cat', { stdio: [Buffer.from('text'), 'pipe', 'pipe'], timeout: 250 })),
    view: sync(t, () =>
      cp.spawnSync('cat', { stdio: [new DataView(new ArrayBuffer(2)), 'pipe', 'pipe'], timeout: 250 }),
    ),
    last: sync(t, () => cp.spawnSync('sh', ['-c', 'echo x'], { stdio: ['pipe', 'pipe', 'pipe', 'text'] })),
    beside: sync(t, () =>
      cp.spawnSync('cat', { stdio: ['pipe', 'pipe', Buffer.from('x')], input: 'in', timeout: 250 }),
    ),
  }),

  'ipc is refused': (cp, t) => ({
    shortcut: sync(t, () => cp.spawnSync('true', { stdio: 'ipc' })),
    fourth: sync(t, () => cp.spawnSync('true', { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] })),
    first: sync(t, () => cp.spawnSync('true', { stdio: ['ipc', 'pipe', 'pipe'] })),
  }),

  'stdio that is refused': (cp, t) => {
    const outcomes = {};
    for (const [label, stdio] of values()) {
      // Descriptors that a harness hands to its children are not the same on both sides.
      if (!['a nested array', 'a long array'].includes(label))
        outcomes[label] = sync(t, () => cp.spawnSync('true', { stdio }));
    }
    return outcomes;
  },

  'stdio entries': (cp, t) => {
    const outcomes = {};
    for (const [label, value] of values()) {
      // 0 and 1 are what the runner has there; numbers that are no 32-bit integer take some versions of the builtin
      // down.
      if (typeof value === 'number' && value !== -1) continue;
      outcomes[label] = sync(t, () => cp.spawnSync('true', { stdio: ['pipe', 'pipe', 'pipe', value] }));
    }
    return outcomes;
  },

  'inherit': (cp, t) =>
    t.inNewProcess(
      (cp) => {
        const command = ['-c', 'read line; echo "out $line"; echo "err $line" >&2; exit 3'];
        const { pid, ...all } = cp.spawnSync('sh', command, { stdio: 'inherit' });
        const { pid: second, ...some } = cp.spawnSync('sh', command, { stdio: ['inherit', 'pipe', 'inherit'] });
        const { pid: third, ...numbers } = cp.spawnSync('sh', command, { stdio: [0, 1, 2] });
        const { pid: fourth, ...streams } = cp.spawnSync('sh', command, {
          stdio: ['ignore', process.stdout, process.stderr],
        });
        const { pid: fifth, ...crossed } = cp.spawnSync('sh', ['-c', 'echo out; echo err >&2'], {
          stdio: ['ignore', 2, 1],
        });
        return {
          pids: [pid, second, third, fourth, fifth].map((one) => typeof one),
          all,
          some,
          numbers,
          streams,
          crossed,
        };
      },
      { input: 'one\ntwo\nthree\n' },
    ),

  'inherit, with input for the child': (cp, t) =>
    t.inNewProcess(
      (cp) => {
        const { pid, ...result } = cp.spawnSync('cat', { stdio: ['pipe', 'inherit', 'inherit'], input: 'given' });
        const { pid: other, ...inherited } = cp.spawnSync('head', ['-n', '1'], { stdio: 'inherit', input: 'not used' });
        return { result, inherited, pids: [typeof pid, typeof other] };
      },
      { input: 'from outside\n' },
    ),

  'a child that closes its output and lives on': (cp, t) => {
    const began = Date.now();
    const outcome = sync(t, () => cp.spawnSync('sh', ['-c', 'echo out; exec >&- 2>&-; sleep 0.3; exit 6']));
    return { outcome, waited: Date.now() - began > 250 };
  },

  'a grandchild that keeps the pipes open is waited for': (cp, t) => {
    const began = Date.now();
    const outcome = sync(t, () => cp.spawnSync('sh', ['-c', '(sleep 0.3; echo late) & echo early']));
    return { outcome, waited: Date.now() - began > 250 };
  },

  'a grandchild without our pipes is not waited for': (cp, t) => {
    const began = Date.now();
    const outcome = sync(t, () => cp.spawnSync('sh', ['-c', 'sleep 1 > /dev/null 2>&1 < /dev/null & echo early']));
    return { outcome, waited: Date.now() - began > 800 };
  },

  'a grandchild that keeps only stdin open': (cp, t) =>
    sync(t, () => cp.spawnSync('sh', ['-c', 'exec 3<&0; sleep 0.3 <&3 > /dev/null 2>&1 & echo early'], { input: 'x' })),
};
