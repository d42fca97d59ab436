'use strict';

// maxBuffer, timeout, killSignal of exec and execFile.

const { collect } = require('../collected');
const values = require('../values');

// Where the program is still there when it is killed, how it ends is no race.
const STAYS = '; exec sleep 5';

async function withLimits(t, cp, command, limits, options = {}) {
  const outcomes = {};
  for (const maxBuffer of limits)
    outcomes[maxBuffer] = await collect(t, (callback) => cp.exec(command, { ...options, maxBuffer }, callback), {
      events: false,
    });
  return outcomes;
}

module.exports = {
  'maxBuffer: exactly, one over, far over': (cp, t) =>
    withLimits(t, cp, 'printf 0123456789', [
      10,
      9,
      1,
      0,
      11,
      Infinity,
      10.5,
      9.5,
      0.5,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
    ]),

  'maxBuffer: exactly, one over, of Buffers': (cp, t) =>
    withLimits(t, cp, 'printf 0123456789', [10, 9, 1, 0, 11, Infinity, 9.5], { encoding: 'buffer' }),

  'maxBuffer 0 and nothing to say': (cp, t) => collect(t, (callback) => cp.exec('true', { maxBuffer: 0 }, callback)),

  'maxBuffer of stderr': (cp, t) => withLimits(t, cp, 'printf 0123456789 >&2', [10, 9, 0]),

  'maxBuffer counts each stream for itself': async (cp, t) => ({
    fits: await collect(t, (callback) =>
      cp.exec('printf 0123456789; printf abcdefghij >&2', { maxBuffer: 10 }, callback),
    ),
    stdout: await collect(t, (callback) =>
      cp.exec(`printf abc >&2; sleep 0.05; printf 0123456789${STAYS}`, { maxBuffer: 9 }, callback),
    ),
    stderr: await collect(t, (callback) =>
      cp.exec(`printf abc; sleep 0.05; printf 0123456789 >&2${STAYS}`, { maxBuffer: 9 }, callback),
    ),
  }),

  'a child over the limit is killed': async (cp, t) => ({
    default: await collect(t, (callback) => cp.exec(`printf 0123456789${STAYS}`, { maxBuffer: 5 }, callback)),
    killSignal: await collect(t, (callback) =>
      cp.exec(`printf 0123456789${STAYS}`, { maxBuffer: 5, killSignal: 'SIGKILL' }, callback),
    ),
    execFile: await collect(t, (callback) =>
      cp.execFile('sh', ['-c', `printf 0123456789${STAYS}`], { maxBuffer: 5 }, callback),
    ),
  }),

  'a child over the limit that withstands the signal': async (cp, t) => ({
    exits: await collect(t, (callback) =>
      cp.exec('trap "exit 7" TERM; printf 0123456789; while :; do sleep 0.02; done', { maxBuffer: 5 }, callback),
    ),
    exitsWithZero: await collect(t, (callback) =>
      cp.exec('trap "exit 0" TERM; printf 0123456789; while :; do sleep 0.02; done', { maxBuffer: 5 }, callback),
    ),
    lives: await collect(t, (callback) =>
      cp.exec('trap "" TERM; printf 0123456789; sleep 0.3; exit 3', { maxBuffer: 5 }, callback),
    ),
    writesOn: await collect(t, (callback) =>
      cp.exec('trap "" TERM; printf 0123456789; sleep 0.3; printf more; exit 3', { maxBuffer: 5 }, callback),
    ),
  }),

  'over the limit in a later write': async (cp, t) => ({
    text: await collect(t, (callback) =>
      cp.exec(`printf 01234; sleep 0.05; printf 56789${STAYS}`, { maxBuffer: 7 }, callback),
    ),
    bytes: await collect(t, (callback) =>
      cp.exec(`printf 01234; sleep 0.05; printf 56789${STAYS}`, { maxBuffer: 7, encoding: 'buffer' }, callback),
    ),
    exactlyThere: await collect(t, (callback) =>
      cp.exec(`printf 01234; sleep 0.05; printf 5${STAYS}`, { maxBuffer: 5 }, callback),
    ),
  }),

  'far over the limit': async (cp, t) => ({
    text: await collect(t, (callback) => cp.exec('yes', { maxBuffer: 1000 }, callback), { events: false }),
    bytes: await collect(t, (callback) => cp.exec('yes', { maxBuffer: 100_000, encoding: 'buffer' }, callback), {
      events: false,
    }),
    default: await collect(t, (callback) => cp.exec('yes', callback), { events: false }),
  }),

  'over the limit at the very end of a long output': async (cp) => {
    const outcome = (bytes, maxBuffer) =>
      new Promise((resolve) => {
        cp.execFile('head', ['-c', bytes, '/dev/zero'], { maxBuffer }, (error, stdout) =>
          resolve(`${error?.code} ${stdout.length}`),
        );
      });
    // Whether the end of the child comes before the last of the output is chance.
    const outcomes = new Set();
    for (let i = 0; i < 12; i++) {
      outcomes
        .add(await outcome(2_000_000, 1_970_000))
        .add(await outcome(1_048_577))
        .add(await outcome(300_001, 300_000))
        .add(await outcome(300_000, 300_000));
    }
    return [...outcomes].sort();
  },

  'over the limit, without a callback': (cp, t) =>
    collect(t, () => cp.exec(`printf 0123456789${STAYS}`, { maxBuffer: 5 }), { callback: false }),

  'the limit within a character, one write': async (cp, t) => ({
    two: await withLimits(t, cp, 'printf äöüß', [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    three: await withLimits(t, cp, 'printf €€€', [1, 2, 3, 4, 8, 9]),
    four: await withLimits(t, cp, 'printf 😀😀😀', [1, 2, 3, 4, 5, 11, 12]),
    stderr: await withLimits(t, cp, 'printf äöüß >&2', [3, 7]),
  }),

  'the limit within a character, of Buffers': (cp, t) =>
    withLimits(t, cp, 'printf äöüß', [0, 1, 2, 3, 7, 8], { encoding: 'buffer' }),

  'the limit within a character, several writes': async (cp, t) => ({
    whole: await withLimits(t, cp, `printf ä; sleep 0.03; printf ö; sleep 0.03; printf ü${STAYS}`, [1, 2, 3, 4, 5]),
    halves: await withLimits(
      t,
      cp,
      `printf 'a\\303'; sleep 0.03; printf '\\244\\303'; sleep 0.03; printf '\\266z'${STAYS}`,
      [1, 2, 3, 4, 5],
    ),
    bytes: await withLimits(
      t,
      cp,
      `printf 'a\\303'; sleep 0.03; printf '\\244\\303'; sleep 0.03; printf '\\266z'${STAYS}`,
      [1, 2, 3, 4, 5],
      { encoding: 'buffer' },
    ),
  }),

  'the limit in other encodings counts bytes': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ['latin1', 'hex', 'base64', 'base64url', 'utf16le', 'ascii', 'no-such-encoding']) {
      outcomes[encoding] = await withLimits(t, cp, 'printf 0123456789ab', [12, 11, 6, 3, 1, 0], { encoding });
    }
    return outcomes;
  },

  'maxBuffer that is refused': async (cp, t) => {
    const outcomes = {};
    for (const [label, maxBuffer] of values()) {
      outcomes[label] = await collect(t, (callback) => cp.exec('true', { maxBuffer }, callback), { callback: false });
    }
    return outcomes;
  },

  'timeout with output pending': async (cp, t) => ({
    text: await collect(t, (callback) => cp.exec(`echo before; echo err >&2${STAYS}`, { timeout: 250 }, callback)),
    bytes: await collect(t, (callback) =>
      cp.exec(`echo before; echo err >&2${STAYS}`, { timeout: 250, encoding: 'buffer' }, callback),
    ),
    execFile: await collect(t, (callback) => cp.execFile('sleep', ['5'], { timeout: 50 }, callback)),
  }),

  'timeout with half a character': async (cp, t) => ({
    utf8: await collect(t, (callback) => cp.exec(`printf 'a\\303'${STAYS}`, { timeout: 250 }, callback)),
    bytes: await collect(t, (callback) =>
      cp.exec(`printf 'a\\303'${STAYS}`, { timeout: 250, encoding: 'buffer' }, callback),
    ),
  }),

  'a timeout of 0 is none, one that is not reached does nothing': async (cp, t) => ({
    zero: await collect(t, (callback) => cp.exec('sleep 0.1; echo x', { timeout: 0 }, callback)),
    long: await collect(t, (callback) => cp.exec('echo x', { timeout: 60_000 }, callback)),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  }),

  'timeout without a callback': (cp, t) =>
    collect(t, () => cp.exec('exec sleep 5', { timeout: 50 }), { callback: false }),

  'timeout that is refused': async (cp, t) => {
    const outcomes = {};
    for (const [label, timeout] of values()) {
      // What is a valid number of milliseconds races with the program.
      if (['1', '2 ** 31 - 1', '2 ** 31', '2 ** 53', '1e21'].includes(label)) continue;
      outcomes[label] = await collect(t, (callback) => cp.exec('true', { timeout }, callback), { callback: false });
    }
    return outcomes;
  },

  'a timeout longer than timers can wait': (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 5', { timeout: 2 ** 31 }, callback)),

  'a child that withstands the timeout': async (cp, t) => ({
    exits: await collect(t, (callback) =>
      cp.exec('trap "exit 7" TERM; echo ready; while :; do sleep 0.02; done', { timeout: 250 }, callback),
    ),
    exitsWithZero: await collect(t, (callback) =>
      cp.exec('trap "exit 0" TERM; echo ready; while :; do sleep 0.02; done', { timeout: 250 }, callback),
    ),
    lives: await collect(t, (callback) =>
      cp.exec('trap "" TERM; echo ready; sleep 0.5; exit 3', { timeout: 200 }, callback),
    ),
    writesOn: await collect(t, (callback) =>
      cp.exec('trap "" TERM; echo ready; sleep 0.5; echo late; exit 3', { timeout: 200 }, callback),
    ),
  }),

  'a timeout that comes when only a grandchild is left': (cp, t) =>
    collect(t, (callback) => cp.exec('sleep 0.6 & echo x', { timeout: 250 }, callback)),

  'a timeout after a failure that only a grandchild keeps back': (cp, t) =>
    collect(t, (callback) => cp.exec('sleep 0.6 & exit 4', { timeout: 250 }, callback)),

  'timeout and maxBuffer both': (cp, t) =>
    collect(t, (callback) =>
      cp.exec('trap "" TERM; printf 0123456789; sleep 0.5; exit 3', { timeout: 250, maxBuffer: 5 }, callback),
    ),

  'timeout with a program that is not there': async (cp, t) => ({
    outcome: await collect(t, (callback) => cp.execFile('no-such-program', { timeout: 40 }, callback)),
    later: await t.sleep(100),
  }),

  'killSignal': async (cp, t) => {
    const outcomes = {};
    for (const killSignal of ['SIGKILL', 'SIGINT', 'sighup', 'SigUsr1', 9, 2, 15, null, undefined]) {
      outcomes[String(killSignal)] = await collect(t, (callback) =>
        cp.exec('exec sleep 5', { timeout: 40, killSignal }, callback),
      );
    }
    return outcomes;
  },

  'a killSignal that does not kill': (cp, t) =>
    collect(t, (callback) => cp.exec('echo x; exec sleep 0.6', { timeout: 250, killSignal: 'SIGCONT' }, callback)),

  'killSignal that is refused': async (cp, t) => {
    const outcomes = {};
    for (const [label, killSignal] of values())
      outcomes[label] = await collect(t, (callback) => cp.exec('true', { killSignal }, callback), { callback: false });
    for (const killSignal of ['SIGNOTHING', 'TERM', 65, 64, 34, -1, 0]) {
      outcomes[killSignal] = await collect(t, (callback) => cp.exec('true', { killSignal }, callback), {
        callback: false,
      });
    }
    return outcomes;
  },

  'kill is looked up on the child when the time is up': (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 5', { timeout: 60, killSignal: 'SIGINT' }, callback), {
      touch: (child) => {
        const { kill } = child;
        child.kill = function (...args) {
          t.log('kill', args, this === child);
          return kill.call(this, 'SIGKILL');
        };
      },
    }),

  'a kill that throws when the time is up': (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 0.4', { timeout: 100 }, callback), {
      touch: (child) => {
        child.kill = () => {
          throw new RangeError('no kill');
        };
      },
    }),

  'a kill that throws when the output is over the limit': (cp, t) =>
    collect(t, (callback) => cp.exec('printf 0123456789; exec sleep 0.4', { maxBuffer: 4 }, callback), {
      touch: (child) => {
        child.kill = () => {
          throw new RangeError('no kill');
        };
      },
    }),
};
