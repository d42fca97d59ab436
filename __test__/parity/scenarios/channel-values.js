'use strict';

// Messages of every kind in both directions: what the other end gets, and what is refused with which words.

const net = require('node:net');

const { paired } = require('../pairings');
const messages = require('../messages');

const MESSAGES = require.resolve('../messages');
const DESCRIBE = require.resolve('../describe');

// Shows what it gets; told to, it sends messages of its own, and says how each went.
const PEER = `
  const messages = require(${JSON.stringify(MESSAGES)})
  const { describe } = require(${JSON.stringify(DESCRIBE)})
  process.on('message', (message) => {
    if (message === 'yours') sendOwn()
    else if (message === 'end') process.send('end', () => process.disconnect())
    else process.send(messages.show(message))
  })
  function sendOwn() {
    for (const [label, value] of messages[process.argv[2]]()) {
      let outcome
      try {
        outcome = ['sent', process.send(value) !== undefined]
      } catch (error) {
        outcome = ['thrown', describe(error)]
      }
      process.send(['outcome', label, ...outcome])
    }
  }`;

const kindOf = (t) => (t.serialization === 'json' ? 'json' : 'advanced');

function attempt(t, child, value) {
  try {
    child.send(value);
    return 'sent';
  } catch (error) {
    return { thrown: t.describe(error) };
  }
}

module.exports = paired({
  'to the child': async (cp, t) => {
    const child = t.fork(t.file('peer.js', PEER), { args: [kindOf(t)] });
    const got = [];
    child.on('message', (message) => got.push(message));
    const outcomes = [];
    for (const [label, value] of messages[kindOf(t)]()) {
      const outcome = attempt(t, child, value);
      outcomes.push([label, outcome]);
    }
    child.send('end');
    await new Promise((resolve) => child.on('close', resolve));
    // One reply for each that was sent, in order.
    return outcomes
      .map(([label, outcome]) => [label, outcome, outcome === 'sent' ? got.shift() : null])
      .concat([['the rest', got]]);
  },

  'from the child': async (cp, t) => {
    const child = t.fork(t.file('peer.js', PEER), { args: [kindOf(t)] });
    const got = [];
    child.on('message', (message) =>
      got.push(Array.isArray(message) && message[0] === 'outcome' ? message : messages.show(message)),
    );
    child.send('yours');
    child.send('end');
    await new Promise((resolve) => child.on('close', resolve));
    return got;
  },

  'what is looked at while a message is written, and in which order': async (cp, t) => {
    // Ours may look twice there.
    if (t.serialization === 'advanced') return 'each once, or twice';
    const reads = [];
    const watched = (name, value) => ({
      get [name]() {
        reads.push(name);
        return value;
      },
    });
    const message = {
      a: watched('a', 1),
      list: [watched('b', watched('c', null)), 2],
      get d() {
        reads.push('d');
        return new Date(0);
      },
    };
    message.e = {
      toJSON(...args) {
        reads.push(['toJSON', args]);
        return watched('f', 1);
      },
    };
    const child = t.fork(t.file('peer.js', PEER), { args: [kindOf(t)] });
    const recorded = t.record(child);
    child.send(message);
    const before = reads.length;
    child.send('end');
    return { reads, before, recorded: await recorded };
  },

  'shared references and circles stay what they were, or become copies': async (cp, t) => {
    const child = t.fork(() =>
      process.on('message', (message) => {
        const { a, b, list, self } = message;
        process.send([a === b, a === list[0], self === message]);
        process.disconnect();
      }),
    );
    const recorded = t.record(child);
    const shared = { shared: true };
    const message = { a: shared, b: shared, list: [shared] };
    if (t.serialization === 'advanced') message.self = message;
    child.send(message);
    return recorded;
  },

  'prototypes that were changed': async (cp, t) => {
    const child = t.fork(t.file('peer.js', PEER), { args: [kindOf(t)] });
    const recorded = t.record(child);
    const outcomes = [];
    Object.prototype.polluted = 'yes';
    outcomes.push(attempt(t, child, { a: 1 }));
    delete Object.prototype.polluted;
    Array.prototype.toJSON = () => 'an array';
    outcomes.push(attempt(t, child, { a: [1] }));
    delete Array.prototype.toJSON;
    String.prototype.toJSON = function () {
      return `${this}!`;
    };
    outcomes.push(attempt(t, child, 'text'), attempt(t, child, { a: 'text' }));
    delete String.prototype.toJSON;
    Number.prototype.toJSON = () => 7;
    outcomes.push(attempt(t, child, 1), attempt(t, child, [2]));
    delete Number.prototype.toJSON;
    Boolean.prototype.toJSON = () => 'boolean';
    outcomes.push(attempt(t, child, true));
    delete Boolean.prototype.toJSON;
    BigInt.prototype.toJSON = function () {
      return `${this}n`;
    };
    outcomes.push(attempt(t, child, { a: 5n }));
    delete BigInt.prototype.toJSON;
    const { toJSON } = Buffer.prototype;
    Buffer.prototype.toJSON = () => 'a buffer';
    outcomes.push(attempt(t, child, Buffer.from('x')), attempt(t, child, [Buffer.from('y')]));
    Buffer.prototype.toJSON = toJSON;
    const { stringify, parse } = JSON;
    JSON.stringify = () => '"replaced"';
    JSON.parse = () => 'replaced';
    outcomes.push(attempt(t, child, { a: 1 }));
    Object.assign(JSON, { stringify, parse });
    child.send('end');
    return { outcomes, recorded: await recorded };
  },

  'setters and accessors on Object.prototype of the receiver': (cp, t) => {
    const child = t.fork(() => {
      const seen = [];
      Object.defineProperty(Object.prototype, 'trap', {
        set(value) {
          seen.push(value);
        },
        get() {
          return 'from the prototype';
        },
        configurable: true,
      });
      process.on('message', (message) => {
        process.send([Object.keys(message), Object.getOwnPropertyDescriptor(message, 'trap')?.value, seen]);
        process.disconnect();
      });
    });
    const recorded = t.record(child);
    child.send({ trap: 1 });
    return recorded;
  },

  'native objects in advanced messages are what JSON makes of them': async (cp, t) => {
    if (t.serialization === 'json') return 'there they are, always';
    const server = net.createServer().listen('socket');
    const socket = new net.Socket();
    const child = t.fork(t.file('peer.js', PEER), { args: [kindOf(t)] });
    const recorded = t.record(child);
    const handle = server._handle;
    for (const key of Object.keys(handle)) delete handle[key];
    const outcomes = [attempt(t, child, { handle }), attempt(t, child, [handle, handle])];
    handle.plain = { a: 1 };
    outcomes.push(attempt(t, child, handle));
    handle.plain = () => {};
    outcomes.push(attempt(t, child, { handle }), attempt(t, child, { socket }), attempt(t, child, { server }));
    child.send('end');
    const result = { outcomes, recorded: await recorded };
    server.close();
    return result;
  },

  'messages that are changed after they were received do not change others': async (cp, t) => {
    const child = t.fork(() => {
      const same = { list: [1, 2, 3], bytes: Buffer.from('abc') };
      process.send(same);
      process.send(same);
    });
    const got = [];
    child.on('message', (message) => {
      got.push(messages.show(message));
      message.list.length = 0;
      if (Buffer.isBuffer(message.bytes)) message.bytes.fill(0);
    });
    await new Promise((resolve) => child.on('close', resolve));
    return got;
  },
});
