'use strict';

// options.timeout, options.killSignal, options.signal: ways to end a child before it ends itself.

const { EventEmitter } = require('node:events');

const SLEEP = ['sleep', ['10']];

// Whether a child is told to have started before its time is up is a race.
const KILLED = { ignore: ['spawn'] };

module.exports = {
  'timeout kills with SIGTERM': (cp, t) => t.outcome(() => cp.spawn(...SLEEP, { timeout: 30 }), KILLED),

  'timeout kills with killSignal': async (cp, t) => ({
    name: await t.outcome(() => cp.spawn(...SLEEP, { timeout: 20, killSignal: 'SIGKILL' }), KILLED),
    number: await t.outcome(() => cp.spawn(...SLEEP, { timeout: 20, killSignal: 2 }), KILLED),
    lowerCase: await t.outcome(() => cp.spawn(...SLEEP, { timeout: 20, killSignal: 'sigusr1' }), KILLED),
  }),

  'killSignal that is refused': async (cp, t) => {
    const outcomes = {};
    for (const signal of ['SIGNOTHING', '', 'TERM', 0, -1, 65, 1000, 1.5, NaN, {}, [], true]) {
      outcomes[String(signal)] = await t.outcome(() => cp.spawn('true', { killSignal: signal, stdio: 'ignore' }));
    }
    return outcomes;
  },

  'a child that ends in time is not killed, and the timer is gone': async (cp, t) => ({
    recorded: await t.outcome(() => cp.spawn('true', { timeout: 60_000 })),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  }),

  'a timeout of 0 is none': (cp, t) => t.outcome(() => cp.spawn('sleep', ['0.1'], { timeout: 0 })),

  'a child that withstands SIGTERM': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'trap "echo no" TERM; echo ready; while :; do sleep 0.02; done'], {
      timeout: 100,
    });
    setTimeout(() => child.kill('SIGKILL'), 300);
    return t.record(child);
  },

  'a timeout with a program that is not there': async (cp, t) => ({
    recorded: await t.outcome(() => cp.spawn('no-such-program', { timeout: 30 })),
    later: await t.sleep(80),
  }),

  'the timer keeps the process alive': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.spawn('sleep', ['10'], { timeout: 100, stdio: 'ignore' });
      child.unref();
      child.on('exit', (...args) => console.log('exit', ...args));
      return 'waiting';
    }),

  'a kill that throws when the time is up': async (cp, t) => {
    const child = cp.spawn('sleep', ['0.2'], { timeout: 20 });
    child.kill = () => {
      throw new RangeError('no kill');
    };
    return t.record(child);
  },

  'kill is looked up on the child when the time is up': async (cp, t) => {
    const child = cp.spawn(...SLEEP, { timeout: 20, killSignal: 'SIGINT' });
    const kill = child.kill;
    child.kill = function (...args) {
      t.log('kill', args, this === child);
      return kill.call(this, 'SIGKILL');
    };
    return t.record(child, KILLED);
  },

  'a signal that was aborted before': async (cp, t) => {
    const child = cp.spawn(...SLEEP, { signal: AbortSignal.abort() });
    t.log('returned', typeof child.pid, child.killed);
    return t.record(child);
  },

  'a signal that was aborted before, and listeners that are removed': async (cp) => {
    const options = { signal: AbortSignal.abort(), stdio: 'ignore' };
    const errorAndExit = async (child) => {
      const seen = [];
      child.on('error', (error) => seen.push(error.name));
      await new Promise((resolve) => child.on('exit', (...args) => resolve(seen.push(...args))));
      return seen;
    };
    const child = cp.spawn('sleep', ['5'], options);
    const names = child.eventNames();
    child.removeAllListeners();
    const seen = await errorAndExit(child);
    const late = cp.spawn('sleep', ['5'], options);
    // Ours may tell a tick later that it has started.
    const onSpawn = () => {};
    late.on('spawn', onSpawn);
    process.nextTick(() => late.off('spawn', onSpawn));
    return { names, seen, late: await errorAndExit(late) };
  },

  'a signal that was aborted before, with a reason': async (cp, t) => {
    const error = new RangeError('enough');
    return {
      error: await t.outcome(() => cp.spawn(...SLEEP, { signal: AbortSignal.abort(error) })),
      string: await t.outcome(() => cp.spawn(...SLEEP, { signal: AbortSignal.abort('a word') })),
      null: await t.outcome(() => cp.spawn(...SLEEP, { signal: AbortSignal.abort(null) })),
    };
  },

  'a signal that is aborted later': async (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    return t.outcome(() => cp.spawn(...SLEEP, { signal: controller.signal }), KILLED);
  },

  'abort at once, after spawn() returned': async (cp, t) => {
    const controller = new AbortController();
    const child = cp.spawn(...SLEEP, { signal: controller.signal });
    const recorded = t.record(child);
    controller.abort(new TypeError('changed my mind'));
    t.log('killed', child.killed);
    return recorded;
  },

  'abort with killSignal': async (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    return t.outcome(() => cp.spawn(...SLEEP, { signal: controller.signal, killSignal: 'SIGKILL' }), KILLED);
  },

  'AbortSignal.timeout': (cp, t) => t.outcome(() => cp.spawn(...SLEEP, { signal: AbortSignal.timeout(30) }), KILLED),

  'abort after the end does nothing': async (cp, t) => {
    const controller = new AbortController();
    const child = cp.spawn('true', { signal: controller.signal });
    const recorded = await t.record(child);
    controller.abort();
    await t.sleep(10);
    return recorded;
  },

  'aborting twice': async (cp, t) => {
    const controller = new AbortController();
    const child = cp.spawn(...SLEEP, { signal: controller.signal });
    const recorded = t.record(child);
    controller.abort('first');
    controller.abort('second');
    return recorded;
  },

  'abort in the same tick as the end of a program that is not there': async (cp, t) => {
    const controller = new AbortController();
    const child = cp.spawn('no-such-program', { signal: controller.signal });
    const recorded = t.record(child);
    controller.abort();
    return recorded;
  },

  'aborted before, and the program is not there': (cp, t) =>
    t.outcome(() => cp.spawn('no-such-program', { signal: AbortSignal.abort() })),

  'listeners of the signal come and go': async (cp, t) => {
    const { getEventListeners } = require('node:events');
    const { signal } = new AbortController();
    const child = cp.spawn('true', { signal });
    const during = getEventListeners(signal, 'abort').length;
    await t.record(child);
    return { during, after: getEventListeners(signal, 'abort').length };
  },

  'abort whose event is stopped by another listener': async (cp, t) => {
    const controller = new AbortController();
    controller.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
    const child = cp.spawn(...SLEEP, { signal: controller.signal });
    const recorded = t.record(child);
    controller.abort();
    return recorded;
  },

  'an abort nobody listens to is an uncaught exception': async (cp) => {
    const controller = new AbortController();
    const child = cp.spawn(...SLEEP, { signal: controller.signal, stdio: 'ignore' });
    const closed = new Promise((resolve) => child.on('close', (...args) => resolve(args)));
    setTimeout(() => controller.abort(), 10);
    return closed;
  },

  'things that only look like an AbortSignal': async (cp, t) => {
    const emitter = Object.assign(new EventEmitter(), { aborted: false });
    return {
      aborted: await t.outcome(() => cp.spawn(...SLEEP, { signal: { aborted: true, reason: 'mine' } })),
      notAborted: await t.outcome(() => cp.spawn('true', { signal: { aborted: false } })),
      emitter: await t.outcome(() => cp.spawn('true', { signal: emitter })),
      inherited: await t.outcome(() => cp.spawn(...SLEEP, { signal: Object.create({ aborted: true }) })),
    };
  },

  'timeout and abort together': async (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    return t.outcome(() => cp.spawn(...SLEEP, { signal: controller.signal, timeout: 5000 }), KILLED);
  },
};
