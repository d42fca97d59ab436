'use strict';

// The async context that the listeners and callbacks of a channel run in.

const { AsyncLocalStorage, AsyncResource, executionAsyncId } = require('node:async_hooks');
const { once } = require('node:events');
const { existsSync } = require('node:fs');

const { paired } = require('../pairings');

// disconnect() does not wait for what was sent.
const ECHO = () =>
  process.on('message', (message) => {
    process.send(message, () => {
      if (message === 'end') process.disconnect();
    });
    require('node:fs').writeFileSync('echoed', '');
  });

module.exports = paired(
  {
    'listeners of a child run in the context of fork()': async (cp, t) => {
      const storage = new AsyncLocalStorage();
      const child = storage.run('at fork', () => t.fork(ECHO));
      for (const event of ['spawn', 'message', 'disconnect', 'exit', 'close']) {
        storage.run('at listening', () => child.on(event, (value) => t.log(event, value, storage.getStore())));
      }
      storage.run('at send', () => child.send('end'));
      await once(child, 'close');
    },

    'what a listener throws is told in the context of the listener': async (cp, t) => {
      const storage = new AsyncLocalStorage();
      const told = [];
      let thrownIn;
      const hear = ({ message }) => told.push([message, storage.getStore(), executionAsyncId() === thrownIn]);
      process.on('uncaughtException', hear);
      const child = storage.run('at fork', () =>
        t.fork(() => {
          for (const message of ['one', { two: 2 }, 'three', { cmd: 'NODE_OF_OURS' }]) process.send(message);
          process.once('message', () => process.disconnect());
        }),
      );
      for (const event of ['message', 'internalMessage', 'disconnect', 'exit']) {
        storage.run('at listening', () =>
          child.on(event, (value) => {
            thrownIn = executionAsyncId();
            throw new RangeError(`${event} ${JSON.stringify(value)}`);
          }),
        );
      }
      await t.until(() => told.length === 4);
      child.send('end');
      await t.until(() => told.length === 6);
      process.off('uncaughtException', hear);
      // Which of them comes first is the system's.
      return told.sort();
    },

    'messages that waited come in the context of the one who listens': async (cp, t) => {
      const storage = new AsyncLocalStorage();
      const child = storage.run('at fork', () => t.fork(ECHO));
      child.send('a');
      await t.until(() => existsSync('echoed'));
      await t.sleep(20);
      storage.run('at listening', () => child.on('message', (message) => t.log(message, storage.getStore())));
      child.send('end');
      await once(child, 'close');
    },

    'callbacks of send() run in the context of their send()': async (cp, t) => {
      const storage = new AsyncLocalStorage();
      const child = storage.run('at fork', () => t.fork(ECHO));
      const called = [];
      for (const name of ['a', 'b', 'c'])
        storage.run(`send ${name}`, () => child.send(name, () => called.push([name, storage.getStore()])));
      storage.run('send of much', () =>
        child.send('x'.repeat(1_000_000), () => called.push(['much', storage.getStore()])),
      );
      storage.run('send after much', () => child.send('d', () => called.push(['d', storage.getStore()])));
      storage.run('send end', () => child.send('end', () => called.push(['end', storage.getStore()])));
      await once(child, 'close');
      child.on('error', (error) => t.log('error', error.code, storage.getStore()));
      storage.run('too late', () => child.send('late', (error) => called.push([error.code, storage.getStore()])));
      storage.run('too late, without a callback', () => child.send('late'));
      await t.sleep(5);
      return called;
    },

    'several children side by side do not mix': async (cp, t) => {
      const storage = new AsyncLocalStorage();
      return Promise.all(
        ['a', 'b', 'c'].map((name) =>
          storage.run(name, async () => {
            const child = t.fork(ECHO);
            const seen = [];
            child.on('message', (message) => seen.push([message, storage.getStore()]));
            child.send('x');
            child.send('end');
            await once(child, 'close');
            return [name, storage.getStore(), seen];
          }),
        ),
      );
    },

    'disconnect by the parent': async (cp, t) => {
      const storage = new AsyncLocalStorage();
      const child = storage.run('at fork', () => t.fork(ECHO));
      child.on('disconnect', () => t.log('disconnect', storage.getStore()));
      child.on('error', (error) => t.log('error', error.code, storage.getStore()));
      child.send('a');
      await once(child, 'message');
      storage.run('at disconnect', () => child.disconnect());
      storage.run('at the second', () => child.disconnect());
      await once(child, 'exit');
    },

    'in the child': async (cp, t) => {
      const child = t.fork(() => {
        const { AsyncLocalStorage } = require('node:async_hooks');
        const storage = new AsyncLocalStorage();
        const seen = [];
        storage.run('at listening', () => {
          process.on('message', (message) => {
            seen.push(['message', message, storage.getStore()]);
            if (message !== 'end') return;
            storage.run('at send', () =>
              process.send(null, () => {
                seen.push(['callback', storage.getStore()]);
                storage.run('at disconnect', () => process.send(seen, () => process.disconnect()));
              }),
            );
          });
        });
      });
      const recorded = t.record(child);
      for (const message of ['a', 'b', 'end']) child.send(message);
      return recorded;
    },

    'messages that waited, in the child': async (cp, t) => {
      const child = t.fork(() => {
        const { AsyncLocalStorage } = require('node:async_hooks');
        const storage = new AsyncLocalStorage();
        const seen = [];
        storage.run('at the timer', () =>
          setTimeout(() => {
            process.on('message', (message) => {
              seen.push([message, storage.getStore()]);
              if (message === 'end') process.send(seen, () => process.disconnect());
            });
          }, 60),
        );
      });
      const recorded = t.record(child);
      for (const message of ['a', 'end']) child.send(message);
      return recorded;
    },

    'async ids in listeners, and a resource that is bound': async (cp, t) => {
      const child = t.fork(ECHO);
      const storage = new AsyncLocalStorage();
      child.on('message', () => t.log('message', executionAsyncId() > 0));
      child.on(
        'message',
        storage.run('bound', () => AsyncResource.bind((message) => t.log('bound', message, storage.getStore()))),
      );
      child.on('disconnect', () => t.log('disconnect', executionAsyncId() > 0));
      child.send('x', () => t.log('callback', executionAsyncId() > 0));
      child.send('end');
      await once(child, 'close');
    },

    'a promise awaited in a listener keeps the context': async (cp, t) => {
      const storage = new AsyncLocalStorage();
      const child = storage.run('at fork', () => t.fork(ECHO));
      child.on('message', async (message) => {
        await null;
        t.log(message, storage.getStore());
        await t.sleep(1);
        t.log(message, storage.getStore());
      });
      child.send('x');
      await t.until(() => t.entries.length === 2);
      child.send('end');
      await once(child, 'close');
      await t.sleep(10);
    },
  },
  { serializations: ['json'] },
);
