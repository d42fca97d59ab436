'use strict';

// Listeners: in which order and context they run, and what becomes of what they throw.

const { AsyncLocalStorage, AsyncResource, executionAsyncId } = require('node:async_hooks');
const { once } = require('node:events');

module.exports = {
  // The builtin emits spawn in the next tick, ours once the program runs: what both keep is that it is not before this.
  'nothing is emitted before spawn() returned, nor before the ticks that were asked for': async (cp, t) => {
    await new Promise((resolve) => setImmediate(resolve));
    const order = [];
    process.nextTick(() => order.push('tick'));
    const child = cp.spawn('true', { stdio: 'ignore' });
    for (const event of ['spawn', 'exit', 'close']) child.on(event, () => order.push(event));
    order.push('sync');
    const recorded = await t.record(child);
    return { order, recorded };
  },

  'the error of a program that is not there comes in the next tick': async (cp, t) => {
    await new Promise((resolve) => setImmediate(resolve));
    process.nextTick(() => t.log('tick before'));
    const child = cp.spawn('no-such-program', { stdio: 'ignore' });
    child.on('error', () => t.log('error'));
    child.on('close', () => t.log('close'));
    process.nextTick(() => t.log('tick after'));
    Promise.resolve().then(() => t.log('promise'));
    const immediate = new Promise((resolve) => setImmediate(resolve)).then(() => t.log('immediate'));
    const recorded = await t.record(child);
    await immediate;
    return recorded;
  },

  'the same with pipes': async (cp, t) => {
    await new Promise((resolve) => setImmediate(resolve));
    const child = cp.spawn('no-such-program');
    child.on('error', () => t.log('error'));
    child.on('close', () => t.log('close'));
    process.nextTick(() => t.log('tick after'));
    return t.record(child);
  },

  'spawn, exit, close: ticks and promises of one listener run before the next event': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    for (const event of ['spawn', 'exit', 'close']) {
      child.on(event, () => {
        t.log(event);
        process.nextTick(() => t.log(`tick of ${event}`));
        Promise.resolve().then(() => t.log(`promise of ${event}`));
        queueMicrotask(() => t.log(`microtask of ${event}`));
      });
    }
    return t.record(child);
  },

  'several listeners of one event run in one go': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    for (const name of ['first', 'second']) {
      child.on('exit', () => {
        t.log(name);
        Promise.resolve().then(() => t.log(`promise of ${name}`));
      });
    }
    return t.record(child);
  },

  'exit and close of a child without pipes come in the same turn': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const immediate = new Promise((resolve) => {
      child.on('exit', () => {
        t.log('exit');
        setImmediate(() => resolve(t.log('immediate')));
      });
    });
    child.on('close', () => t.log('close'));
    const recorded = await t.record(child);
    await immediate;
    return recorded;
  },

  'a listener added in the exit event hears close': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    child.on('exit', () => child.on('close', (...args) => t.log('close', ...args)));
    return t.record(child);
  },

  'output read only from the exit event on': async (cp, t) => {
    const child = cp.spawn('echo', ['late reader']);
    let text = '';
    child.on('exit', () =>
      child.stdout.on('data', (data) => {
        text += data;
      }),
    );
    const recorded = await t.record(child, { streams: false });
    return { text, recorded };
  },

  'output nobody reads does not hold up close': async (cp, t) => {
    const child = cp.spawn('echo', ['unread']);
    return t.record(child, { streams: false });
  },

  'AsyncLocalStorage reaches every listener': async (cp, t) => {
    const storage = new AsyncLocalStorage();
    const child = await storage.run('at spawn', async () => {
      const one = cp.spawn('sh', ['-c', 'echo out; echo err >&2; cat']);
      for (const event of ['spawn', 'exit', 'close']) one.on(event, () => t.log(event, storage.getStore()));
      one.stdout.once('data', () => t.log('stdout data', storage.getStore()));
      one.stdin.on('close', () => t.log('stdin close', storage.getStore()));
      return one;
    });
    storage.run('later', () => {
      child.on('exit', () => t.log('exit, listened to later', storage.getStore()));
      child.stdin.end('x');
    });
    const recorded = await t.record(child);
    return { recorded, log: t.entries.splice(0).map(String).sort() };
  },

  'AsyncLocalStorage reaches the listeners of a failure': async (cp, t) => {
    const storage = new AsyncLocalStorage();
    const child = storage.run('at spawn', () => cp.spawn('no-such-program', { stdio: 'ignore' }));
    child.on('error', () => t.log('error', storage.getStore()));
    child.on('close', () => t.log('close', storage.getStore()));
    return t.record(child);
  },

  'AsyncLocalStorage of children started side by side does not mix': async (cp) => {
    const storage = new AsyncLocalStorage();
    const children = ['a', 'b', 'c', 'd'].map((name) =>
      storage.run(name, () => {
        const child = cp.spawn('sh', ['-c', `exit ${name.charCodeAt(0)}`], { stdio: 'ignore' });
        return new Promise((resolve) =>
          child.on('exit', (code) => resolve([String.fromCharCode(code), storage.getStore()])),
        );
      }),
    );
    return Promise.all(children);
  },

  'AsyncLocalStorage in timeout, abort and kill': async (cp, t) => {
    const storage = new AsyncLocalStorage();
    const controller = new AbortController();
    const [one, other] = storage.run('at spawn', () => [
      cp.spawn('sleep', ['10'], { stdio: 'ignore', timeout: 20 }),
      cp.spawn('sleep', ['10'], { stdio: 'ignore', signal: controller.signal }),
    ]);
    one.on('exit', () => t.log('timeout exit', storage.getStore()));
    const first = await t.record(one);
    other.on('error', () => t.log('abort error', storage.getStore()));
    other.on('exit', () => t.log('abort exit', storage.getStore()));
    const second = t.record(other);
    storage.run('at abort', () => controller.abort());
    return [first, await second];
  },

  'an async id is there in listeners': async (cp, t) => {
    const resource = new AsyncResource('parity');
    const child = resource.runInAsyncScope(() => cp.spawn('true', { stdio: 'ignore' }));
    child.on('exit', () => t.log('exit', executionAsyncId() > 0));
    child.on('close', () => t.log('close', executionAsyncId() > 0));
    resource.emitDestroy();
    return t.record(child);
  },

  'an exception in a listener is an uncaught exception, and the process goes on': async (cp, t) => {
    const outcomes = {};
    for (const event of ['spawn', 'exit', 'close']) {
      const child = cp.spawn('echo', ['x']);
      const seen = [];
      for (const name of ['spawn', 'exit', 'close']) child.on(name, (...args) => seen.push([name, ...args]));
      child.on(event, () => {
        throw new RangeError(`thrown in ${event}`);
      });
      // After an 'exit' that threw there is no 'close'.
      await t.until(() => seen.some(([name]) => name === (event === 'exit' ? 'exit' : 'close')));
      await t.sleep(100);
      outcomes[event] = seen;
    }
    outcomes.afterwards = await t.outcome(() => cp.spawn('true'));
    return outcomes;
  },

  'what a listener throws is told in the context of the listener': async (cp, t) => {
    const storage = new AsyncLocalStorage();
    const told = {};
    let thrownIn;
    const hear = ({ message }) => {
      told[message] = [storage.getStore(), executionAsyncId() === thrownIn];
    };
    process.on('uncaughtException', hear);
    for (const event of ['spawn', 'exit', 'close', 'error']) {
      for (const stdio of ['ignore', 'pipe']) {
        const name = `${event} with ${stdio}`;
        storage.run(name, () => {
          const child = cp.spawn(event === 'error' ? 'no-such-program' : 'true', { stdio });
          child.stdout?.resume();
          child.stderr?.resume();
          child.on(event, () => {
            thrownIn = executionAsyncId();
            throw new RangeError(name);
          });
        });
        await t.until(() => name in told);
      }
    }
    process.off('uncaughtException', hear);
    return told;
  },

  'an exception in a listener of error': async (cp, t) => {
    const child = cp.spawn('no-such-program', { stdio: 'ignore' });
    const seen = [];
    child.on('close', (...args) => seen.push(args));
    child.on('error', () => {
      throw new RangeError('thrown in error');
    });
    await t.sleep(50);
    return { seen, afterwards: await t.outcome(() => cp.spawn('true')) };
  },

  'an error nobody listens to is an uncaught exception': async (cp, t) => {
    const child = cp.spawn('no-such-program', { stdio: 'ignore' });
    const seen = [];
    child.on('close', (...args) => seen.push(args));
    await t.sleep(50);
    return seen;
  },

  'an error nobody listens to ends the process': (cp, t) =>
    t
      .inNewProcess((cp) => {
        cp.spawn('no-such-program', ['a'], { stdio: 'ignore' });
      })
      .then(({ code, signal, stderr }) => ({
        code,
        signal,
        message: stderr
          .split('\n')
          .filter((line) => /Error|errno|code|syscall|path|spawnargs/.test(line) && !/^ +at /.test(line)),
      })),

  'an exception in exit ends the process when nobody catches it': (cp, t) =>
    t
      .inNewProcess((cp) => {
        cp.spawn('true', { stdio: 'ignore' }).on('exit', () => {
          throw new RangeError('thrown in exit');
        });
      })
      .then(({ code, signal, stderr }) => ({ code, signal, message: /RangeError: thrown in exit/.test(stderr) })),

  'a promise rejected in a listener': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    process.once('unhandledRejection', (reason) => t.log('unhandledRejection', reason));
    child.on('exit', async () => {
      throw new RangeError('rejected in exit');
    });
    const recorded = await t.record(child);
    await t.sleep(10);
    process.removeAllListeners('unhandledRejection');
    return recorded;
  },

  'process.exit() in a listener': (cp, t) =>
    t.inNewProcess((cp) => {
      cp.spawn('true', { stdio: 'ignore' }).on('exit', () => process.exit(9));
    }),

  'a child spawned in every listener of another': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const others = [];
    for (const event of ['spawn', 'exit', 'close'])
      child.on(event, () => others.push(t.outcome(() => cp.spawn('echo', [event]))));
    const recorded = await t.record(child);
    return { recorded, others: await Promise.all(others) };
  },

  'once, off, prepended listeners': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const never = () => t.log('never');
    child.on('exit', never);
    child.off('exit', never);
    child.on('exit', () => t.log('second'));
    child.prependListener('exit', () => t.log('first'));
    return t.record(child);
  },

  'emit may be replaced': async (cp, t) => {
    const child = cp.spawn('true', { stdio: 'ignore' });
    const closed = once(child, 'close');
    const { emit } = child;
    child.emit = function (...args) {
      t.log('emit', ...args);
      return emit.apply(this, args);
    };
    return closed;
  },

  'captureRejections does not stand in the way': async (cp, t) => {
    const events = require('node:events');
    events.captureRejections = true;
    try {
      const child = cp.spawn('true', { stdio: 'ignore' });
      return await t.record(child);
    } finally {
      events.captureRejections = false;
    }
  },
};
