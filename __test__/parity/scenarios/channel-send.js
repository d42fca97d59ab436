'use strict';

// send(): what it takes and refuses, what it returns, when its callback is called; and what it says once the channel is
// gone.

const { paired } = require('../pairings');
const values = require('../values');

// Answers with what it got, and leaves when told to.
const ECHO = () => {
  process.on('message', (message) => {
    if (message === 'end') process.disconnect();
    else process.send({ got: message });
  });
};

// The other direction: the same attempts by the child, which writes down how they went.
function inChild(t, fn) {
  return t
    .outcome(() =>
      t.fork(
        t.file(
          'attempts.js',
          `
    const describe = require(${JSON.stringify(require.resolve('../describe'))}).describe
    const log = []
    const t = {
      attempt(fn) {
        try { return { returned: describe(fn()) } } catch (error) { return { thrown: describe(error) } }
      },
      describe,
      log: (...items) => log.push(items.map((item) => describe(item))),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    }
    process.on('exit', () => require('node:fs').writeFileSync('log', JSON.stringify(log)))
    ;(${fn})(process, t).then((result) => {
      if (process.connected) process.send(result, () => process.disconnect())
    })`,
          0o644,
        ),
      ),
    )
    .then((recorded) => ({ recorded, log: JSON.parse(require('node:fs').readFileSync('log', 'utf8')) }));
}

async function echoed(t, use) {
  const child = t.fork(ECHO);
  const recorded = t.record(child);
  const result = await use(child);
  child.send('end');
  return { result, recorded: await recorded };
}

// A message that a channel carries whatever its serialization.
const isPlain = (value) =>
  value === null ||
  ['string', 'boolean'].includes(typeof value) ||
  (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0));

module.exports = paired({
  'messages of a kind that is refused': (cp, t) =>
    echoed(t, async (child) => {
      const refused = values().filter(([, value]) =>
        ['undefined', 'symbol', 'bigint', 'function'].includes(typeof value),
      );
      return {
        nothing: t.attempt(() => child.send()),
        refused: refused.map(([label, value]) => [label, t.attempt(() => child.send(value))]),
      };
    }),

  'messages of a kind that is refused, from the child': (cp, t) =>
    inChild(t, async (process, t) => {
      return [undefined, Symbol('s'), 10n, () => {}].map((value) => t.attempt(() => process.send(value)));
    }),

  'plain values arrive as they are': (cp, t) =>
    echoed(t, async (child) => {
      for (const [, value] of values()) if (isPlain(value)) child.send(value);
    }),

  'the second argument: what is no handle': (cp, t) =>
    echoed(t, async (child) => {
      const outcomes = [];
      for (const [label, value] of values())
        if (typeof value !== 'function') outcomes.push([label, t.attempt(() => child.send(`with ${label}`, value))]);
      return outcomes;
    }),

  'the third argument: options are an object': (cp, t) =>
    echoed(t, async (child) => {
      const outcomes = [];
      for (const [label, value] of values())
        if (typeof value !== 'function')
          outcomes.push([label, t.attempt(() => child.send(`with ${label}`, undefined, value))]);
      return outcomes;
    }),

  'the fourth argument: what is no function is not called': (cp, t) =>
    echoed(t, async (child) => {
      const outcomes = [];
      for (const [label, value] of values())
        if (typeof value !== 'function')
          outcomes.push([label, t.attempt(() => child.send(`with ${label}`, undefined, undefined, value))]);
      return outcomes;
    }),

  'a callback in each place': (cp, t) =>
    echoed(t, async (child) => {
      const called = [];
      const callback = (name) =>
        function (...args) {
          called.push([name, args.length, args, this === undefined]);
        };
      const returned = [
        child.send(1, callback('second')),
        child.send(2, undefined, callback('third')),
        child.send(3, null, callback('third, null before')),
        child.send(4, undefined, undefined, callback('fourth')),
        child.send(5, null, {}, callback('fourth, options before')),
        child.send(6, undefined, { keepOpen: true }, callback('fourth, keepOpen')),
        child.send(7, callback('second'), { not: 'looked at' }, callback('never')),
        child.send(8, undefined, callback('third'), callback('never')),
        child.send(9, undefined, { swallowErrors: true }, callback('swallowErrors')),
      ];
      const atOnce = called.length;
      await t.sleep(20);
      return { returned, atOnce, called };
    }),

  'a callback in each place, from the child': (cp, t) =>
    inChild(t, async (process, t) => {
      const called = [];
      const callback =
        (name) =>
        (...args) =>
          called.push([name, args]);
      const returned = [
        process.send(1, callback('second')),
        process.send(2, undefined, callback('third')),
        process.send(3, null, {}, callback('fourth')),
        process.send(4, undefined, undefined, 'no function'),
      ];
      const atOnce = called.length;
      await t.sleep(20);
      return { returned, atOnce, called };
    }),

  // Not compared with ticks: what is sent in one tick is written at its end, and then its callbacks are called.
  'callbacks come in order, none at once, and promises of one run before the loop goes on': (cp, t) =>
    echoed(t, async (child) => {
      await new Promise((resolve) => setImmediate(resolve));
      const order = [];
      let immediate = false;
      for (const name of ['a', 'b', 'c']) {
        child.send(name, (...args) => {
          order.push([name, args, immediate]);
          Promise.resolve().then(() => order.push(`promise of ${name}`));
        });
      }
      setImmediate(() => {
        immediate = true;
      });
      const atOnce = order.length;
      await t.sleep(20);
      return { atOnce, callbacks: order.filter(Array.isArray), promises: order.filter((item) => !Array.isArray(item)) };
    }),

  'a callback that sends again': (cp, t) =>
    echoed(
      t,
      (child) =>
        new Promise((resolve) => {
          let count = 0;
          const again = (error) => {
            if (error || count === 50) resolve([count, error]);
            else child.send(count++, again);
          };
          again(null);
        }),
    ),

  'a callback that throws': (cp, t) =>
    echoed(t, async (child) => {
      child.send('one', () => {
        throw new RangeError('thrown in a callback');
      });
      child.send('two', (error) => t.log('two', error));
      await t.sleep(20);
      child.send('three', (error) => t.log('three', error));
      await t.sleep(20);
    }),

  'send at once, before the child runs': async (cp, t) => {
    const child = t.fork(ECHO);
    const returned = [];
    for (let i = 0; i < 100; i++) returned.push(child.send(i));
    returned.push(child.send('end'));
    return { returned, recorded: await t.record(child) };
  },

  'a message is taken as it is when send() is called': (cp, t) =>
    echoed(t, async (child) => {
      const message = { a: 1, list: [1] };
      child.send(message);
      message.a = 2;
      message.list.push(2);
      child.send(message);
      delete message.a;
    }),

  'options are looked at once, in order': (cp, t) =>
    echoed(t, async (child) => {
      const reads = [];
      const options = {
        get keepOpen() {
          reads.push('keepOpen');
          return false;
        },
        get swallowErrors() {
          reads.push('swallowErrors');
          return false;
        },
        get other() {
          reads.push('other');
          return 1;
        },
      };
      const returned = child.send('x', undefined, options);
      const thrown = t.attempt(() =>
        child.send('y', undefined, {
          get other() {
            throw new EvalError('not today');
          },
        }),
      );
      return { reads, returned, thrown };
    }),

  'handles of no kind that can be sent': (cp, t) =>
    echoed(t, async (child) => {
      const { PassThrough } = require('node:stream');
      const { EventEmitter } = require('node:events');
      return {
        stream: t.attempt(() => child.send('x', new PassThrough())),
        emitter: t.attempt(() => child.send('x', new EventEmitter())),
        child: t.attempt(() => child.send('x', child)),
        array: t.attempt(() => child.send('x', [])),
        number: t.attempt(() => child.send('x', 1)),
        // Refused before the message is looked at any further.
        badMessage: t.attempt(() => child.send(undefined, {})),
        symbol: t.attempt(() => child.send(Symbol('s'), {})),
        withCallback: t.attempt(() => child.send('x', {}, (error) => t.log('never', error))),
      };
    }),

  'after disconnect(): an error event, or the callback': async (cp, t) => {
    const child = t.fork(ECHO);
    const recorded = t.record(child, { until: 'exit', ignore: ['spawn'] });
    child.disconnect();
    const outcomes = {
      plain: t.attempt(() => child.send('x')),
      callback: t.attempt(() => child.send('x', (...args) => t.log('callback', args))),
      third: t.attempt(() => child.send('x', undefined, (...args) => t.log('third', args))),
      fourth: t.attempt(() => child.send('x', undefined, {}, (...args) => t.log('fourth', args))),
      nothing: t.attempt(() => child.send()),
      symbol: t.attempt(() => child.send(Symbol('s'))),
      options: t.attempt(() => child.send('x', undefined, 1)),
      swallow: t.attempt(() => child.send('x', undefined, { swallowErrors: true })),
      handle: t.attempt(() => child.send('x', {})),
    };
    t.log('sent');
    return { outcomes, recorded: await recorded };
  },

  'after the child has gone': async (cp, t) => {
    const child = t.fork(() => {});
    const recorded = await t.record(child);
    const outcomes = {
      plain: t.attempt(() => child.send('x')),
      callback: t.attempt(() => child.send('x', (...args) => t.log('callback', args))),
      nothing: t.attempt(() => child.send()),
    };
    child.on('error', (error) => t.log('error', error));
    await t.sleep(10);
    return { recorded, outcomes };
  },

  'after the child was killed, before that is known': async (cp, t) => {
    const child = t.fork(ECHO, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.send('hello');
    await new Promise((resolve) => child.once('message', resolve));
    const recorded = t.record(child);
    child.kill('SIGKILL');
    // Dead for certain, each of its threads, and its end of the channel closed, without our loop having turned.
    const { readFileSync, readdirSync } = require('node:fs');
    const isDead = () =>
      /\) Z/.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')) &&
      readdirSync(`/proc/${child.pid}/task`).length === 1;
    const deadline = Date.now() + 5000;
    while (!isDead() && Date.now() < deadline);
    const outcomes = {
      connected: child.connected,
      callback: t.attempt(() => child.send('x', (...args) => t.log('callback', args))),
      plain: t.attempt(() => child.send('y')),
      swallow: t.attempt(() => child.send('z', undefined, { swallowErrors: true }, (...args) => t.log('never', args))),
    };
    return { outcomes, recorded: await recorded };
  },

  'after the parent has gone': async (cp, t) => {
    const child = t.fork(() => {
      const fs = require('node:fs');
      const log = [];
      const note = (...items) => log.push(items);
      process.on('error', (error) => note('error', error.code, error.message));
      process.on('exit', () => fs.writeFileSync('log', JSON.stringify(log)));
      process.on('disconnect', () => {
        note('disconnect', process.connected, String(process.channel));
        note(
          'sent',
          process.send('x', (error) => note('callback', error && error.code)),
        );
        note('sent', process.send('y'));
        process.nextTick(() => note('tick'));
      });
      process.send('ready');
    });
    const recorded = t.record(child, { until: 'exit' });
    child.once('message', () => child.disconnect());
    return { recorded: await recorded, log: JSON.parse(require('node:fs').readFileSync('log', 'utf8')) };
  },

  'an error that the child does not listen to ends it': async (cp, t) => {
    const child = t.fork(
      () => {
        process.disconnect();
        process.send('x');
      },
      { silent: true },
    );
    const { events } = await t.record(child);
    return events;
  },

  'values that cannot be written throw, and the channel goes on': (cp, t) =>
    echoed(t, async (child) => {
      const circle = {};
      circle.self = circle;
      const attempts = {
        getter: t.attempt(() =>
          child.send({
            get a() {
              throw new EvalError('not today');
            },
          }),
        ),
        bigint: t.attempt(() => t.serialization === 'json' && child.send({ a: 1n })),
        cycle: t.attempt(() => t.serialization === 'json' && child.send(circle)),
        function: t.attempt(() => t.serialization === 'advanced' && child.send({ a() {} })),
        symbol: t.attempt(() => t.serialization === 'advanced' && child.send([Symbol('s')])),
        withCallback: t.attempt(() =>
          child.send(
            {
              get a() {
                throw new EvalError('not today');
              },
            },
            (...args) => t.log('never', args),
          ),
        ),
      };
      child.send('afterwards');
      return attempts;
    }),
});
