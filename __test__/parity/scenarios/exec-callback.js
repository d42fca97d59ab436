'use strict';

// The callback of exec(command, options, callback): when it is called, what it may rely on, what happens if it throws.

const { AsyncLocalStorage } = require('node:async_hooks');

const { collect } = require('../collected');

module.exports = {
  'AsyncLocalStorage reaches the callback': async (cp) => {
    const storage = new AsyncLocalStorage();
    const seen = {};
    await Promise.all(
      ['good', 'bad', 'missing'].map(
        (label, i) =>
          new Promise((resolve) => {
            storage.run(label, () => {
              cp.exec(['true', 'exit 1', 'true'][i], i === 2 ? { cwd: '/nonexistent-dir' } : {}, () => {
                seen[label] = storage.getStore();
                setImmediate(() => resolve(storage.getStore()));
              });
            });
          }),
      ),
    );
    return seen;
  },

  'a callback that throws is an uncaught exception, and the process goes on': async (cp, t) => {
    cp.exec('echo x', () => {
      throw new EvalError('from a success');
    });
    await t.sleep(200);
    cp.exec('exit 1', () => {
      throw new EvalError('from a failure');
    });
    await t.sleep(200);
    cp.exec('true', { cwd: '/nonexistent-dir' }, () => {
      throw new EvalError('from a program that did not start');
    });
    await t.sleep(200);
    cp.exec('sleep 5', { timeout: 20 }, () => {
      throw 'no error at all';
    });
    await t.sleep(200);
    return collect(t, (callback) => cp.exec('echo still here', callback));
  },

  'a callback that throws in a process without a listener': (cp, t) =>
    t
      .inNewProcess((cp) => {
        process.on('exit', (code) => console.log('exit', code));
        return new Promise(() => {
          cp.exec('echo x', () => {
            throw new EvalError('nobody catches this');
          });
        });
      })
      .then(({ stderr, ...rest }) => ({
        rest,
        stderr: stderr.split('\n').filter((line) => line.startsWith('EvalError')),
      })),

  'an async callback that rejects': (cp, t) =>
    t.inNewProcess(async (cp) => {
      process.on('unhandledRejection', (error) => console.log('unhandledRejection', error.message));
      await new Promise((resolve) =>
        cp.exec('echo x', async () => {
          setTimeout(resolve, 50);
          throw new Error('rejected');
        }),
      );
    }),

  'the callback runs before other listeners of close, ticks after them': async (cp, t) => {
    const order = [];
    const child = cp.exec('echo x', () => {
      order.push('callback');
      process.nextTick(() => order.push('tick of the callback'));
      Promise.resolve().then(() => order.push('promise of the callback'));
      setImmediate(() => order.push('immediate of the callback'));
    });
    child.on('exit', () => order.push('exit'));
    child.on('close', () => {
      order.push('close');
      process.nextTick(() => order.push('tick of close'));
    });
    await t.sleep(300);
    return order;
  },

  'the callback is never called before exec returned': async (cp) => {
    const order = [];
    await Promise.all(
      [{}, { cwd: '/nonexistent-dir' }, { signal: AbortSignal.abort() }]
        .map(
          (options) =>
            new Promise((resolve) => {
              cp.exec('true', options, () => resolve());
              order.push('returned');
            }),
        )
        .map((one) => one.then(() => order.push('called'))),
    );
    return order;
  },

  'this within the callback': async (cp) =>
    new Promise((resolve) => {
      cp.exec('true', function () {
        resolve([
          this === undefined ? 'undefined' : this === globalThis ? 'global' : this?.constructor?.name,
          arguments.length,
        ]);
      });
    }),

  'thirty at a time': async (cp, t) => {
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) => collect(t, (callback) => cp.exec(`echo ${i}; exit ${i % 3}`, callback))),
    );
    return outcomes.map(({ calls }) => calls);
  },

  'exec within the callback of exec': (cp) =>
    new Promise((resolve) => {
      cp.exec('echo one', (_, one) =>
        cp.exec('echo two', (_, two) => cp.exec('exit 3', (error) => resolve([one, two, error.code]))),
      );
    }),

  'a grandchild that keeps the pipes open is waited for': (cp, t) =>
    collect(t, (callback) => cp.exec('(sleep 0.3; echo late) & echo early', callback)),

  'a child that closes its output and lives on': (cp, t) =>
    collect(t, (callback) => cp.exec('echo out; exec >&- 2>&-; sleep 0.2; exit 6', callback)),

  'nothing keeps the process alive afterwards, with and without a callback': (cp, t) =>
    t
      .inNewProcess((cp) => {
        cp.exec('echo x', (error, stdout) => console.log('callback', stdout));
        cp.exec('echo y');
        cp.exec('exit 1');
        cp.exec('true', { cwd: '/nonexistent-dir' });
        cp.exec('sleep 5', { timeout: 50 });
        cp.exec('true', { timeout: 60_000 }, () => console.log('in time'));
        process.on('exit', () => console.log('the process ends'));
      })
      .then(({ stdout, ...rest }) => ({ rest, stdout: stdout.split('\n').sort() })),

  'the process waits for a child that still runs': (cp, t) =>
    t.inNewProcess((cp) => {
      cp.exec('sleep 0.2; echo slow', (error, stdout) => console.log('callback', stdout));
      process.on('exit', () => console.log('the process ends'));
    }),
};
