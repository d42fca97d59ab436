'use strict';

// options.signal of exec and execFile.

const { EventEmitter, getEventListeners } = require('node:events');

const { collect } = require('../collected');
const values = require('../values');

module.exports = {
  'aborted before': async (cp, t) => ({
    exec: await collect(t, (callback) => cp.exec('exec sleep 5', { signal: AbortSignal.abort() }, callback)),
    execFile: await collect(t, (callback) => cp.execFile('sleep', ['5'], { signal: AbortSignal.abort() }, callback)),
    bytes: await collect(t, (callback) =>
      cp.exec('exec sleep 5', { signal: AbortSignal.abort(), encoding: 'buffer' }, callback),
    ),
    withoutCallback: await collect(t, () => cp.exec('exec sleep 5', { signal: AbortSignal.abort() }), {
      callback: false,
    }),
  }),

  'aborted before, with reasons': async (cp, t) => {
    const outcomes = {};
    for (const reason of ['text', 7, null, undefined, new RangeError('mine'), { why: 'x' }, Symbol('s')]) {
      outcomes[String(reason)] = await collect(t, (callback) =>
        cp.exec('exec sleep 5', { signal: AbortSignal.abort(reason) }, callback),
      );
    }
    return outcomes;
  },

  'aborted before, and the program is not there': async (cp, t) => ({
    file: await collect(t, (callback) => cp.execFile('no-such-program', { signal: AbortSignal.abort() }, callback)),
    cwd: await collect(t, (callback) =>
      cp.exec('true', { cwd: '/nonexistent-dir', signal: AbortSignal.abort() }, callback),
    ),
  }),

  'aborted in the tick of the call': (cp, t) => {
    const controller = new AbortController();
    return collect(t, (callback) => cp.exec('exec sleep 5', { signal: controller.signal }, callback), {
      touch: () => controller.abort(new TypeError('changed my mind')),
    });
  },

  'aborted while it runs, with output pending': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ['utf8', 'buffer']) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 250);
      outcomes[encoding] = await collect(t, (callback) =>
        cp.exec('echo before; echo err >&2; exec sleep 5', { signal: controller.signal, encoding }, callback),
      );
    }
    return outcomes;
  },

  'killSignal is not for aborting': (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 250);
    return collect(t, (callback) =>
      cp.exec('exec sleep 5', { signal: controller.signal, killSignal: 'SIGKILL' }, callback),
    );
  },

  'a child that withstands it': async (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    return collect(t, (callback) =>
      cp.exec('trap "" TERM; echo ready; sleep 0.5; exit 3', { signal: controller.signal }, callback),
    );
  },

  'AbortSignal.timeout': (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 5', { signal: AbortSignal.timeout(250) }, callback)),

  'aborted after the end': async (cp, t) => {
    const controller = new AbortController();
    const outcome = await collect(t, (callback) => cp.exec('echo x', { signal: controller.signal }, callback));
    controller.abort();
    await t.sleep(20);
    return outcome;
  },

  'aborted in the callback': async (cp, t) => {
    const controller = new AbortController();
    return collect(t, (callback) =>
      cp.exec('echo x', { signal: controller.signal }, (...args) => {
        controller.abort();
        callback(...args);
      }),
    );
  },

  'aborted when only a grandchild is left': async (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 250);
    return collect(t, (callback) => cp.exec('sleep 0.6 & echo x', { signal: controller.signal }, callback));
  },

  'aborted twice': (cp, t) => {
    const controller = new AbortController();
    return collect(t, (callback) => cp.exec('exec sleep 5', { signal: controller.signal }, callback), {
      touch: () => {
        controller.abort('first');
        controller.abort('second');
      },
    });
  },

  'one signal for many': async (cp, t) => {
    const controller = new AbortController();
    const outcomes = Promise.all(
      [1, 2, 3].map(() => collect(t, (callback) => cp.exec('exec sleep 5', { signal: controller.signal }, callback))),
    );
    const during = getEventListeners(controller.signal, 'abort').length;
    setTimeout(() => controller.abort(), 50);
    return { outcomes: await outcomes, during, after: getEventListeners(controller.signal, 'abort').length };
  },

  'listeners of the signal come and go': async (cp, t) => {
    const { signal } = new AbortController();
    const outcome = collect(t, (callback) => cp.exec('true', { signal }, callback));
    const during = getEventListeners(signal, 'abort').length;
    return { outcome: await outcome, during, after: getEventListeners(signal, 'abort').length };
  },

  'together with timeout and maxBuffer': async (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    return {
      timeout: await collect(t, (callback) =>
        cp.exec('exec sleep 5', { signal: controller.signal, timeout: 50 }, callback),
      ),
      maxBuffer: await collect(t, (callback) =>
        cp.exec('printf 0123456789; exec sleep 5', { signal: controller.signal, maxBuffer: 5 }, callback),
      ),
    };
  },

  'aborted by a listener of the output': async (cp, t) => {
    const controller = new AbortController();
    return collect(t, (callback) => cp.exec('echo x; exec sleep 5', { signal: controller.signal }, callback), {
      touch: (child) => child.stdout.on('data', () => controller.abort()),
    });
  },

  'things that only look like an AbortSignal': async (cp, t) => ({
    aborted: await collect(t, (callback) =>
      cp.exec('exec sleep 5', { signal: { aborted: true, reason: 'mine' } }, callback),
    ),
    notAborted: await collect(t, (callback) => cp.exec('true', { signal: { aborted: false } }, callback), {
      callback: false,
    }),
    emitter: await collect(
      t,
      (callback) => cp.exec('true', { signal: Object.assign(new EventEmitter(), { aborted: false }) }, callback),
      { callback: false },
    ),
  }),

  'values that are refused': async (cp, t) => {
    const outcomes = {};
    for (const [label, signal] of values())
      outcomes[label] = await collect(t, (callback) => cp.exec('true', { signal }, callback), { callback: false });
    return outcomes;
  },
};
