'use strict';

// What a program finds when it looks at both ends of a channel rather than uses them.

const { once } = require('node:events');
const { inspect } = require('node:util');

const { paired } = require('../pairings');

const STAY = () => {
  process.on('message', () => {});
  process.send('ready');
};

const DOCUMENTED = ['send', 'disconnect', 'connected', 'channel'];

// Whether a property is an accessor is ours to choose.
function visible(object, keys) {
  return keys.map((key) => {
    const own = Object.getOwnPropertyDescriptor(object, key);
    return [
      key,
      typeof object[key],
      own ? (own.enumerable ? 'enumerable' : 'hidden') : 'not own',
      object[key]?.length,
      object[key]?.name,
    ];
  });
}

// The same, carried over as text into a program.
const VISIBLE = `const visible = ${visible}`;

async function withChild(t, options, look, until = 'close') {
  const child = t.fork(STAY, options);
  // Whether it comes as far as to say that it is ready is a race.
  const recorded = t.record(child, { streams: false, until, ignore: ['message'] });
  const spawned = once(child, 'spawn');
  const looked = await look(child);
  await spawned;
  child.kill('SIGKILL');
  return { looked, recorded: await recorded };
}

// How the channel hooks itself in is nobody's business.
const withoutItsOwn = (names) => names.filter((name) => name !== 'internalMessage');

function inspected(value) {
  const text = inspect(value, { depth: 0 }).replace(/pid: \d+/g, 'pid: <pid>');
  return text
    .split('\n')
    .filter((line) => !/Symbol\(|_eventsCount|_closesNeeded/.test(line))
    .map((line) => line.replace(/,$/, ''));
}

module.exports = paired(
  {
    'send, disconnect, connected, channel of a child': (cp, t) =>
      withChild(t, {}, (child) => visible(child, DOCUMENTED)),

    'the same, of a spawned program': async (cp, t) => {
      const child = cp.spawn('sleep', ['20'], {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        serialization: t.serialization,
      });
      const recorded = t.record(child);
      const looked = visible(child, DOCUMENTED);
      child.kill('SIGKILL');
      return { looked, recorded: await recorded };
    },

    'a child without a channel has none of them': async (cp, t) => {
      const child = cp.spawn('true', { stdio: 'ignore' });
      const recorded = t.record(child);
      return {
        looked: visible(child, DOCUMENTED),
        names: Object.getOwnPropertyNames(child).filter((name) => /channel|send|connect/i.test(name)),
        recorded: await recorded,
      };
    },

    'all names of a child, in their order, documented or not': (cp, t) =>
      withChild(t, {}, (child) => ({
        keys: Object.keys(child),
        names: Object.getOwnPropertyNames(child),
        kinds: Object.keys(child).map((key) => [key, typeof child[key]]),
      })),

    'the names of a child once it is disconnected': (cp, t) =>
      withChild(
        t,
        {},
        async (child) => {
          child.disconnect();
          await new Promise((resolve) => child.once('disconnect', resolve));
          return { keys: Object.keys(child), documented: visible(child, DOCUMENTED) };
        },
        'exit',
      ),

    'listeners that a child has from the start': async (cp, t) => {
      const child = t.fork(STAY);
      const found = withoutItsOwn(child.eventNames()).map((name) => [String(name), child.listenerCount(name)]);
      const max = child.getMaxListeners();
      child.kill('SIGKILL');
      return { found, max, recorded: await t.record(child) };
    },

    'inspecting a child': (cp, t) => withChild(t, { stdio: 'ignore' }, (child) => inspected(child)),

    'the channel of a child': (cp, t) =>
      withChild(t, {}, (child) => {
        const { channel } = child;
        return {
          same: channel === child.channel,
          keys: Object.keys(channel),
          methods: ['ref', 'unref', 'refCounted', 'unrefCounted'].map((key) => [
            key,
            typeof channel[key],
            channel[key]?.length,
          ]),
          // Of ours there may be more.
          fd: [typeof channel.fd, Number.isInteger(channel.fd) && channel.fd > 2],
          name: channel.constructor.name,
          emitter: channel instanceof require('node:events').EventEmitter,
          returned: [t.describe(channel.unref()), t.describe(channel.ref())],
          tag: Object.prototype.toString.call(channel),
        };
      }),

    '_channel, where this Node has it': (cp, t) =>
      withChild(t, {}, async (child) => {
        const had = '_channel' in child;
        const same = child._channel === child.channel;
        await t.sleep(5);
        return { had, same: had && same };
      }),

    'send, disconnect, connected, channel of the process': (cp, t) =>
      t.outcome(() =>
        t.fork(
          t.file(
            'look.js',
            `
    ${VISIBLE}
    process.send({ looked: visible(process, ${JSON.stringify(DOCUMENTED)}), connected: process.connected })`,
          ),
        ),
      ),

    'all names of the process, in their order, documented or not': (cp, t) =>
      t.outcome(() =>
        t.fork(
          t.file(
            'look.js',
            `
    process.send({
      keys: Object.keys(process),
      hidden: Object.getOwnPropertyNames(process).filter((name) => !Object.keys(process).includes(name)),
    })`,
          ),
        ),
      ),

    'listeners that the process has from the start': (cp, t) =>
      t.outcome(() =>
        t.fork(
          t.file(
            'look.js',
            `
    const names = process.eventNames().filter((name) => name !== 'internalMessage')
    process.send(names.map((name) => [String(name), process.listenerCount(name)]))`,
          ),
        ),
      ),

    'the channel of the process': (cp, t) =>
      t.outcome(() =>
        t.fork(
          t.file(
            'look.js',
            `
    const { channel } = process
    process.send({
      same: channel === process.channel,
      keys: Object.keys(channel),
      methods: ['ref', 'unref', 'refCounted', 'unrefCounted'].map((key) => {
        return [key, typeof channel[key], channel[key] && channel[key].length]
      }),
      fd: channel.fd,
      name: channel.constructor.name,
      emitter: channel instanceof require('node:events').EventEmitter,
      returned: [typeof channel.ref(), typeof channel.unref()],
    })`,
          ),
        ),
      ),

    'both ends once the other is gone': async (cp, t) => {
      const file = t.file(
        'look.js',
        `
      ${VISIBLE}
      process.once('disconnect', () => {
        const looked = visible(process, ${JSON.stringify(DOCUMENTED)})
        const { connected, channel } = process
        require('node:fs').writeFileSync('seen', JSON.stringify({ looked, connected, channel: String(channel) }))
      })
      process.send('ready')`,
      );
      const child = t.fork(file);
      const recorded = t.record(child, { until: 'exit' });
      child.once('message', () => child.disconnect());
      return {
        recorded: await recorded,
        seen: JSON.parse(require('node:fs').readFileSync('seen', 'utf8')),
        after: visible(child, DOCUMENTED),
        channel: child.channel,
      };
    },

    'send and disconnect taken off their object': (cp, t) =>
      withChild(t, {}, (child) => {
        const { send, disconnect } = child;
        return {
          send: t.attempt(() => send('x')),
          sendOfNull: t.attempt(() => send.call(null, 'x')),
          sendOfAnother: t.attempt(() => send.call({ connected: false, emit() {} }, 'x', () => {})),
          bound: t.attempt(() => send.bind(child)('x')),
          disconnect: t.attempt(() => disconnect()),
        };
      }),

    'send of the process taken off it': (cp, t) =>
      t.outcome(() =>
        t.fork(() => {
          const { send, disconnect } = process;
          const outcomes = [];
          for (const attempt of [
            () => send('x'),
            () => send.call(process, 'called'),
            () => disconnect(),
            () => [1, 2].map(process.send, process),
          ]) {
            try {
              outcomes.push(attempt());
            } catch (error) {
              outcomes.push([error.name, error.message]);
            }
          }
          process.send(outcomes);
        }),
      ),

    'methods may be replaced': (cp, t) =>
      t.outcome(() => {
        const child = t.fork(() => {
          const { send, disconnect } = process;
          process.send = function (message, ...rest) {
            return send.call(this, { wrapped: message }, ...rest);
          };
          process.disconnect = function () {
            process.send('disconnecting');
            return disconnect.call(this);
          };
          process.on('message', (message) => process.send(message));
          process.once('message', () => process.disconnect());
        });
        const { send } = child;
        child.send = (...args) => {
          t.log('send', args);
          return send.apply(child, args);
        };
        child.send('through the wrapper');
        return child;
      }),

    'emit may be replaced at both ends': async (cp, t) => {
      const file = t.program(() => {
        const { emit } = process;
        const seen = [];
        process.emit = function (name, ...args) {
          if (['message', 'internalMessage', 'disconnect'].includes(name)) seen.push([name, args.length, args[0]]);
          return emit.call(this, name, ...args);
        };
        process.on('message', (message) => {
          if (message !== 'end') return;
          process.send(seen);
          process.disconnect();
        });
        process.on('exit', () => {
          require('node:fs').writeFileSync('seen', JSON.stringify(seen));
        });
      });
      const child = t.fork(file);
      const { emit } = child;
      child.emit = function (name, ...args) {
        if (name !== 'newListener') t.log('emit', name, args);
        return emit.call(this, name, ...args);
      };
      const recorded = t.record(child);
      child.send('one');
      child.send({ cmd: 'NODE_two' });
      child.send('end');
      return { recorded: await recorded, seen: JSON.parse(require('node:fs').readFileSync('seen', 'utf8')) };
    },

    'a child is told from others by its class': (cp, t) =>
      withChild(t, {}, (child) => [
        child instanceof cp.ChildProcess,
        child.constructor.name,
        child.constructor === cp.ChildProcess,
      ]),
  },
  { serializations: ['json'] },
);
