'use strict';

// timeout, maxBuffer, killSignal of spawnSync.

const { sync } = require('../collected');
const values = require('../values');

// The size of what was read beyond the limit depends on how it came: only whether it is more.
function overflow(t, limit, fn) {
  const { stdout, stderr, status, signal, error } = fn();
  return t.describe({ stdout: stdout.length >= limit, stderr: stderr.length, status, signal, error });
}

module.exports = {
  'timeout': (cp, t) => ({
    default: sync(t, () => cp.spawnSync('sleep', ['5'], { timeout: 60 })),
    output: sync(t, () => cp.spawnSync('sh', ['-c', 'echo out; echo err >&2; exec sleep 5'], { timeout: 300 })),
    encoding: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'printf "a\\303"; exec sleep 5'], { timeout: 300, encoding: 'utf8' }),
    ),
    kill: sync(t, () => cp.spawnSync('sleep', ['5'], { timeout: 60, killSignal: 'SIGKILL' })),
    number: sync(t, () => cp.spawnSync('sleep', ['5'], { timeout: 60, killSignal: 2 })),
    lowerCase: sync(t, () => cp.spawnSync('sleep', ['5'], { timeout: 60, killSignal: 'sigusr1' })),
    ignored: sync(t, () => cp.spawnSync('sleep', ['5'], { timeout: 60, stdio: 'ignore' })),
    extra: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'echo three >&3; exec sleep 5'], {
        timeout: 300,
        stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      }),
    ),
    input: sync(t, () => cp.spawnSync('sleep', ['5'], { timeout: 60, input: Buffer.alloc(3_000_000) })),
    shell: sync(t, () => cp.spawnSync('exec sleep 5', { timeout: 60, shell: true })),
  }),

  'a timeout that is none or is not reached': (cp, t) => ({
    zero: sync(t, () => cp.spawnSync('sleep', ['0.1'], { timeout: 0 })),
    null: sync(t, () => cp.spawnSync('sleep', ['0.1'], { timeout: null })),
    long: sync(t, () => cp.spawnSync('echo', ['x'], { timeout: 60_000 })),
    longest: sync(t, () => cp.spawnSync('echo', ['x'], { timeout: 2 ** 31 - 1 })),
    longer: sync(t, () => cp.spawnSync('echo', ['x'], { timeout: 2 ** 31 })),
    muchLonger: sync(t, () => cp.spawnSync('echo', ['x'], { timeout: Number.MAX_SAFE_INTEGER })),
  }),

  'a child that withstands the timeout': (cp, t) => ({
    exits: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.02; done'], { timeout: 300 }),
    ),
    exitsWithZero: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 0.02; done'], { timeout: 300 }),
    ),
    lives: sync(t, () => cp.spawnSync('sh', ['-c', 'trap "" TERM; echo ready; sleep 0.6; exit 3'], { timeout: 300 })),
    writesOn: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'trap "" TERM; echo ready; sleep 0.6; echo late; exit 3'], { timeout: 300 }),
    ),
    cont: sync(t, () => cp.spawnSync('sleep', ['0.5'], { timeout: 100, killSignal: 'SIGCONT' })),
  }),

  'a timeout when only a grandchild is left': (cp, t) => {
    const began = Date.now();
    const outcome = sync(t, () => cp.spawnSync('sh', ['-c', 'sleep 2 & echo early'], { timeout: 300 }));
    return { outcome, waited: Date.now() - began > 1500 };
  },

  'a timeout when only a grandchild of a failure is left': (cp, t) =>
    sync(t, () => cp.spawnSync('sh', ['-c', 'sleep 1 & exit 4'], { timeout: 300 })),

  'timeout values': (cp, t) => {
    const outcomes = {};
    for (const [label, timeout] of values()) {
      // 1 ms races with the program.
      if (label !== '1') outcomes[label] = sync(t, () => cp.spawnSync('true', { timeout }));
    }
    return outcomes;
  },

  'maxBuffer: exactly': (cp, t) => ({
    ten: sync(t, () => cp.spawnSync('printf', ['0123456789'], { maxBuffer: 10 })),
    eleven: sync(t, () => cp.spawnSync('printf', ['0123456789'], { maxBuffer: 11 })),
    infinity: sync(t, () => cp.spawnSync('printf', ['0123456789'], { maxBuffer: Infinity })),
    largest: sync(t, () => cp.spawnSync('printf', ['0123456789'], { maxBuffer: Number.MAX_VALUE })),
    fraction: sync(t, () => cp.spawnSync('printf', ['0123456789'], { maxBuffer: 10.5 })),
    zero: sync(t, () => cp.spawnSync('printf', ['0123456789'], { maxBuffer: 0 })),
    negativeZero: sync(t, () => cp.spawnSync('printf', ['0123456789'], { maxBuffer: -0 })),
    nothing: sync(t, () => cp.spawnSync('true', { maxBuffer: 1 })),
  }),

  'maxBuffer: one over': (cp, t) => {
    const command = (text) => ['-c', `${text}; exec sleep 5`];
    return {
      stdout: sync(t, () => cp.spawnSync('sh', command('printf 0123456789'), { maxBuffer: 9 })),
      stderr: sync(t, () => cp.spawnSync('sh', command('printf 0123456789 >&2'), { maxBuffer: 9 })),
      extra: sync(t, () =>
        cp.spawnSync('sh', command('printf 0123456789 >&3'), { maxBuffer: 9, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }),
      ),
      small: sync(t, () => cp.spawnSync('sh', command('printf 0123456789'), { maxBuffer: 1 })),
      fraction: sync(t, () => cp.spawnSync('sh', command('printf 0123456789'), { maxBuffer: 9.5 })),
      belowOne: sync(t, () => cp.spawnSync('sh', command('printf 0123456789'), { maxBuffer: 0.5 })),
      later: sync(t, () => cp.spawnSync('sh', command('printf 01234; sleep 0.05; printf 56789'), { maxBuffer: 7 })),
      killSignal: sync(t, () =>
        cp.spawnSync('sh', command('printf 0123456789'), { maxBuffer: 9, killSignal: 'SIGKILL' }),
      ),
      withinACharacter: sync(t, () => cp.spawnSync('sh', command('printf äöü'), { maxBuffer: 3, encoding: 'utf8' })),
      withinACharacterOfAnEarlierWrite: sync(t, () =>
        cp.spawnSync('sh', command("printf 'a\\303'; sleep 0.05; printf '\\244b'"), { maxBuffer: 2, encoding: 'utf8' }),
      ),
    };
  },

  'maxBuffer over both streams': (cp, t) => ({
    fits: sync(t, () => cp.spawnSync('sh', ['-c', 'printf 01234; printf abcde >&2'], { maxBuffer: 10 })),
    each: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'printf 0123456789; sleep 0.05; printf abcdefghij >&2; exec sleep 5'], {
        maxBuffer: 10,
        timeout: 1000,
      }),
    ),
  }),

  'far over': (cp, t) => ({
    yes: overflow(t, 1000, () => cp.spawnSync('yes', { maxBuffer: 1000 })).error,
    default: overflow(t, 1 << 20, () => cp.spawnSync('sh', ['-c', `head -c ${(1 << 20) + 1} /dev/zero; exec sleep 5`])),
    defaultFits: overflow(t, 1 << 20, () => cp.spawnSync('head', ['-c', String(1 << 20), '/dev/zero'])),
  }),

  'a child over the limit that withstands the signal': (cp, t) => ({
    exits: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'trap "exit 7" TERM; printf 0123456789; while :; do sleep 0.02; done'], {
        maxBuffer: 9,
      }),
    ),
    lives: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'trap "" TERM; printf 0123456789; sleep 0.3; exit 3'], { maxBuffer: 9 }),
    ),
  }),

  'maxBuffer values': (cp, t) => {
    const outcomes = {};
    for (const [label, maxBuffer] of values()) outcomes[label] = sync(t, () => cp.spawnSync('true', { maxBuffer }));
    return outcomes;
  },

  'killSignal values': (cp, t) => {
    const outcomes = {};
    for (const [label, killSignal] of values()) outcomes[label] = sync(t, () => cp.spawnSync('true', { killSignal }));
    for (const killSignal of ['SIGNOTHING', 'TERM', 65, 64, 34, -1, 0])
      outcomes[killSignal] = sync(t, () => cp.spawnSync('true', { killSignal }));
    return outcomes;
  },

  'nothing is left running, nothing is left open': async (cp) => {
    const fs = require('node:fs');
    const before = fs.readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 5; i++) {
      cp.spawnSync('sleep', ['5'], { timeout: 20 });
      cp.spawnSync('sh', ['-c', 'printf 0123456789; exec sleep 5'], { maxBuffer: 2 });
      cp.spawnSync('no-such-program');
      cp.spawnSync('true', { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 9999] });
    }
    return fs.readdirSync('/proc/self/fd').length - before;
  },

  'limits go on after input that nobody reads': (cp, t) => ({
    timeout: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'exec 0<&-; exec sleep 5'], { input: Buffer.alloc(1_000_000), timeout: 200 }),
    ),
    maxBuffer: sync(t, () =>
      cp.spawnSync('sh', ['-c', 'exec 0<&-; sleep 0.2; printf 0123456789; exec sleep 5'], {
        input: Buffer.alloc(1_000_000),
        maxBuffer: 4,
      }),
    ),
  }),
};
