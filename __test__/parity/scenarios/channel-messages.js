'use strict';

// Message listeners: several messages of one read, messages that wait for a listener, listeners that throw.

const { once, on } = require('node:events');
const fs = require('node:fs');

const { paired } = require('../pairings');

// A child that sends what it is told to, says so in a file, and stays.
const SENDER = `
  const fs = require('node:fs')
  process.on('message', () => {})
  for (const message of JSON.parse(process.argv[2])) process.send(message)
  // What is sent in one tick may be written at its end.
  setImmediate(() => fs.writeFileSync('sent', 'all'))`;

// Blocks until the child has sent everything, so that all of it is there in one read.
function waitUntilSent() {
  const deadline = Date.now() + 5000;
  while (!fs.existsSync('sent') && Date.now() < deadline);
}

function sender(t, messages, options) {
  const child = t.fork(t.file('sender.js', SENDER), { args: [JSON.stringify(messages)], ...options });
  waitUntilSent();
  return child;
}

async function ended(t, child) {
  child.kill('SIGKILL');
  return t.record(child);
}

module.exports = paired({
  // How much of what one asks for runs before the next: channel-deliberate.test.js.
  'messages that came in one read: their order, and what each asks for comes after it': async (cp, t) => {
    const child = sender(t, ['a', 'b', { cmd: 'NODE_X' }, 'c']);
    const order = [];
    for (const event of ['message', 'internalMessage']) {
      child.on(event, (message) => {
        const name = message.cmd ?? message;
        order.push(name);
        process.nextTick(() => order.push(`tick of ${name}`));
        Promise.resolve().then(() => order.push(`promise of ${name}`));
        queueMicrotask(() => order.push(`microtask of ${name}`));
        if (name === 'c') setImmediate(() => order.push('immediate of c'));
      });
    }
    await t.sleep(30);
    const isMessage = (item) => !item.includes(' of ');
    const each = order
      .filter(isMessage)
      .map((name) => order.filter((item) => item === name || item.endsWith(` of ${name}`)));
    return { messages: order.filter(isMessage), each, last: order.at(-1), recorded: await ended(t, child) };
  },

  'several listeners of one message run in one go': async (cp, t) => {
    const child = sender(t, ['a']);
    const order = [];
    for (const name of ['first', 'second']) {
      child.on('message', () => {
        order.push(name);
        Promise.resolve().then(() => order.push(`promise of ${name}`));
      });
    }
    child.prependListener('message', () => order.push('prepended'));
    await t.sleep(30);
    return { order, recorded: await ended(t, child) };
  },

  'awaiting one message and then another misses none though they came in one read': async (cp, t) => {
    const child = sender(t, ['a', 'b']);
    const got = [];
    for (let i = 0; i < 2; i++) got.push((await once(child, 'message'))[0]);
    return { got, recorded: await ended(t, child) };
  },

  'async iteration over messages': async (cp, t) => {
    const child = sender(t, ['a', 'b', 'c']);
    const got = [];
    for await (const [message] of on(child, 'message')) {
      got.push(message);
      if (message === 'c') break;
    }
    return { got, recorded: await ended(t, child) };
  },

  'messages wait for a listener, internal ones do not': async (cp, t) => {
    const child = sender(t, ['a', 'b', { cmd: 'NODE_X' }, 'c']);
    await t.sleep(30);
    const order = [];
    child.on('exit', () => {});
    await t.sleep(5);
    child.on('message', (message) => order.push(message));
    order.push('listening');
    process.nextTick(() => order.push('tick'));
    Promise.resolve().then(() => order.push('promise'));
    await t.sleep(5);
    return { order, recorded: await ended(t, child) };
  },

  'a listener that goes after one message: the others wait for the next': async (cp, t) => {
    const child = sender(t, ['a', 'b', 'c']);
    await t.sleep(30);
    const order = [];
    child.once('message', (message) => {
      order.push(['once', message]);
      child.on('message', (other) => order.push(['on', other]));
    });
    await t.sleep(10);
    return { order, recorded: await ended(t, child) };
  },

  'a listener in the child that comes late': async (cp, t) => {
    const child = t.fork(() => {
      setTimeout(() => {
        const order = [];
        process.on('message', (message) => {
          order.push(message);
          if (message === 'end') process.send(order, () => process.disconnect());
        });
        order.push('listening');
        process.nextTick(() => order.push('tick'));
      }, 50);
    });
    const recorded = t.record(child);
    for (const message of ['a', 'b', 'end']) child.send(message);
    return recorded;
  },

  'one and then another in the child': async (cp, t) => {
    const child = t.fork(async () => {
      const { once } = require('node:events');
      const got = [];
      for (let i = 0; i < 2; i++) got.push((await once(process, 'message'))[0]);
      process.send(got);
    });
    const recorded = t.record(child);
    for (const message of ['a', 'b']) child.send(message);
    return recorded;
  },

  'emit of one’s own is like any other': async (cp, t) => {
    const child = t.fork(() => {
      process.on('message', (message) => {
        process.send(['got', message]);
        process.disconnect();
      });
      process.emit('message', 'own');
    });
    child.on('message', (message) => t.log(message));
    child.emit('message', 'own');
    await once(child, 'close');
  },

  'disconnect() in a message listener: what came with it still arrives': async (cp, t) => {
    const child = sender(t, ['a', 'b', 'c', { cmd: 'NODE_X' }]);
    for (const event of ['message', 'internalMessage', 'disconnect', 'exit'])
      child.on(event, (...args) => t.log(event, args, [child.connected, child.channel === null, typeof child.send]));
    child.once('message', () => {
      child.disconnect();
      t.log('disconnected');
    });
    await once(child, 'exit');
    await t.sleep(10);
  },

  'a message listener that throws: the others still come': async (cp, t) => {
    const child = sender(t, ['a', 'b', 'c']);
    child.on('message', (message) => {
      t.log(message);
      if (message === 'a') throw new RangeError('thrown at a');
    });
    await t.sleep(30);
    return ended(t, child);
  },

  'a message listener of the child that throws, with somebody who catches': async (cp, t) => {
    const child = t.fork(() => {
      process.on('uncaughtException', (error) => process.send(['caught', error.message]));
      process.on('message', (message) => {
        if (message === 'end') process.disconnect();
        else throw new RangeError(`thrown at ${message}`);
      });
    });
    const recorded = t.record(child);
    for (const message of ['a', 'b', 'end']) child.send(message);
    return recorded;
  },

  'a promise rejected in a message listener': async (cp, t) => {
    const child = t.fork(() => {
      process.on('unhandledRejection', (reason) => process.send(['unhandledRejection', reason.message]));
      process.on('message', async (message) => {
        if (message === 'end') return process.disconnect();
        throw new RangeError(`rejected at ${message}`);
      });
    });
    const recorded = t.record(child);
    child.send('a');
    await once(child, 'message');
    child.send('end');
    return recorded;
  },
});
