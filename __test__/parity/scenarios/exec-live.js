'use strict';

// The child that exec and execFile return, used like any other while its output is being collected. Its streams:
// exec-streams.js.

const { once } = require('node:events');

const { aMoment, collect } = require('../collected');

module.exports = {
  'kill()': async (cp, t) => {
    const outcomes = {};
    for (const args of [[], ['SIGTERM'], ['SIGKILL'], [2], ['SIGHUP']]) {
      outcomes[args] = await collect(t, (callback) => cp.exec('exec sleep 5', callback), {
        touch: (child) => {
          t.log(child.kill(...args), child.killed);
        },
      });
    }
    return outcomes;
  },

  'kill() with output pending': (cp, t) =>
    collect(t, (callback) => cp.exec('echo before; exec sleep 5', callback), {
      touch: (child) => {
        setTimeout(() => child.kill(), 200);
      },
    }),

  'kill(0) is no kill, but a failure after a kill that did nothing says killed': async (cp, t) => ({
    zero: await collect(t, (callback) => cp.exec('sleep 0.1; exit 3', callback), {
      touch: (child) => {
        t.log(child.kill(0), child.killed);
      },
    }),
    cont: await collect(t, (callback) => cp.exec('sleep 0.1; exit 3', callback), {
      touch: (child) => {
        t.log(child.kill('SIGCONT'), child.killed);
      },
    }),
    good: await collect(t, (callback) => cp.exec('sleep 0.1', callback), {
      touch: (child) => {
        t.log(child.kill('SIGCONT'), child.killed);
      },
    }),
  }),

  'killed from outside': (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 5', callback), {
      touch: (child) => {
        process.kill(child.pid, 'SIGINT');
      },
    }),

  'Symbol.dispose': async (cp, t) =>
    collect(t, (callback) => cp.exec('exec sleep 5', callback), {
      touch: (child) => child[Symbol.dispose]?.() ?? child.kill(),
    }),

  'what the child and its streams are': async (cp, t) => {
    const outcomes = {};
    for (const [label, options] of Object.entries({
      text: {},
      bytes: { encoding: 'buffer' },
      hex: { encoding: 'hex' },
    })) {
      const child = cp.exec('echo x', options, () => {});
      outcomes[label] = t.describe({
        pid: typeof child.pid,
        connected: child.connected,
        exitCode: child.exitCode,
        stdio: child.stdio.map((stream) => stream.constructor.name),
        same: [child.stdin === child.stdio[0], child.stdout === child.stdio[1], child.stderr === child.stdio[2]],
        encodings: [child.stdout.readableEncoding, child.stderr.readableEncoding],
        writable: child.stdin.writable,
      });
      await once(child, 'close');
    }
    return outcomes;
  },

  'listeners that exec itself has': async (cp) => {
    const child = cp.exec('echo x', () => {});
    const counts = ['spawn', 'exit', 'close', 'error'].map((event) => [event, child.listenerCount(event)]);
    await once(child, 'close');
    return { counts, after: ['spawn', 'exit', 'close', 'error'].map((event) => [event, child.listenerCount(event)]) };
  },

  'listeners that exec has on the streams': async (cp) => {
    const child = cp.exec('echo x', () => {});
    const counts = [child.stdout, child.stderr].map((stream) => [stream.listenerCount('data'), stream.readableFlowing]);
    await once(child, 'close');
    return counts;
  },

  'an error event that the caller emits is what the callback gets': async (cp, t) => {
    const errors = [];
    const child = cp.exec('exec sleep 0.2', (...args) => errors.push(args));
    const closed = new Promise((resolve) => child.on('close', resolve));
    child.emit('error', new RangeError('mine'));
    const atOnce = errors.length;
    await closed;
    await aMoment();
    return t.describe({ atOnce, errors });
  },

  'listeners of exit and close that throw': async (cp, t) => {
    const calls = [];
    const first = cp.exec('echo one', (...args) => calls.push(args));
    first.on('exit', () => {
      throw new EvalError('from exit');
    });
    await t.sleep(200);
    const second = cp.exec('echo two', (...args) => calls.push(args));
    second.on('close', () => {
      throw new EvalError('from close');
    });
    await t.sleep(200);
    return t.describe(calls);
  },

  'unref lets the process end before the child': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('exec sleep 0.5', () => console.log('never'));
      child.unref();
      for (const stream of child.stdio) stream.unref();
      process.on('exit', () => console.log('the process ends', child.exitCode));
    }),

  'unref of the child alone: its output is waited for, its end is not': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('echo x; exec >&- 2>&-; sleep 1', (error, stdout) => console.log('never', stdout));
      child.unref();
      process.on('exit', () => console.log('the process ends'));
    }),

  'process.exit() while output is collected': (cp, t) =>
    t.inNewProcess((cp) => {
      cp.exec('sleep 0.3; echo x', () => console.log('never'));
      cp.exec('yes', { maxBuffer: Infinity }, () => console.log('never'));
      setTimeout(() => process.exit(7), 100);
    }),

  'streams first touched when all is over': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('echo x', () => {
        child.stdout.on('data', () => console.log('never'));
        console.log('callback', child.stdout.destroyed);
      });
      child.on('close', () =>
        setImmediate(() => console.log('close', child.stderr.destroyed, child.stderr.readableEnded)),
      );
    }),

  'streams first touched at the exit': (cp, t) =>
    t.inNewProcess((cp) => {
      const child = cp.exec('echo x', (error, stdout) => console.log('callback', error, stdout));
      child.on('exit', () => child.stdout.on('data', () => {}));
      child.on('close', () => console.log('close'));
    }),
};
