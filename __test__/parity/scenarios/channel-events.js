'use strict';

// message, disconnect, exit, close: their order, messages that wait for a listener, disconnect() from either side.

const { once, on } = require('node:events');
const fs = require('node:fs');

const { paired } = require('../pairings');

const EVENTS = ['spawn', 'message', 'disconnect', 'exit', 'close', 'error'];

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

/** What a child wrote down about itself. */
const seenByChild = () => JSON.parse(fs.readFileSync('seen', 'utf8'));

// Carried over as text into programs: writes down events with the state they find.
const WATCH = `
  const seen = []
  const note = (...items) => seen.push([...items, process.connected, process.channel === null, typeof process.send])
  process.on('exit', () => require('node:fs').writeFileSync('seen', JSON.stringify(seen)))`;

function stateOf(child) {
  return [child.connected, child.channel === null, typeof child.send];
}

module.exports = paired({
  'the order of events, and the state each finds': async (cp, t) => {
    const child = t.fork(() => {
      process.send('one');
      process.send('two');
      process.disconnect();
      setTimeout(() => {}, 60);
    });
    for (const event of EVENTS) child.on(event, (...args) => t.log(event, args, stateOf(child)));
    t.log('at once', stateOf(child));
    await once(child, 'close');
  },

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

  'disconnect() by the parent': async (cp, t) => {
    const child = t.fork(
      t.file(
        'child.js',
        `${WATCH}
      process.on('disconnect', () => note('disconnect'))
      process.send('ready')`,
      ),
    );
    for (const event of EVENTS) child.on(event, (...args) => t.log(event, args, stateOf(child)));
    await once(child, 'message');
    t.log('before', stateOf(child));
    t.log('returned', child.disconnect(), stateOf(child));
    process.nextTick(() => t.log('tick', stateOf(child)));
    await once(child, 'exit');
    await t.sleep(10);
    return seenByChild();
  },

  'disconnect() by the parent before the child runs': async (cp, t) => {
    const child = t.fork(
      t.file(
        'child.js',
        `${WATCH}
      note('start')
      process.on('disconnect', () => note('disconnect'))
      process.on('message', (message) => note('message', message))`,
      ),
    );
    const recorded = t.record(child, { until: 'exit' });
    child.send('first');
    child.disconnect();
    return { recorded: await recorded, seen: seenByChild() };
  },

  'disconnect() by the child': async (cp, t) => {
    const child = t.fork(
      t.file(
        'child.js',
        `${WATCH}
      process.on('disconnect', () => note('disconnect'))
      process.send('ready')
      note('before')
      note('returned', process.disconnect())
      process.nextTick(() => note('tick'))
      setImmediate(() => note('immediate'))
      setTimeout(() => {}, 60)`,
      ),
    );
    for (const event of EVENTS) child.on(event, (...args) => t.log(event, args, stateOf(child)));
    await once(child, 'close');
    return seenByChild();
  },

  'disconnect() by both': async (cp, t) => {
    const child = t.fork(
      t.file(
        'child.js',
        `${WATCH}
      process.on('disconnect', () => note('disconnect'))
      process.on('message', () => process.disconnect())
      process.send('ready')`,
      ),
    );
    const recorded = t.record(child, { until: 'exit' });
    await once(child, 'message');
    child.send('you, too');
    child.disconnect();
    return { recorded: await recorded, seen: seenByChild() };
  },

  'disconnect() twice': async (cp, t) => {
    const child = t.fork(
      t.file(
        'child.js',
        `${WATCH}
      process.on('disconnect', () => note('disconnect'))
      process.on('error', (error) => note('error', error.code, error.message))
      process.on('message', () => {
        process.disconnect()
        note('first')
        process.disconnect()
        note('second')
      })`,
      ),
    );
    const unheard = t.fork(() => process.on('message', () => {}));
    child.on('error', (error) => t.log('error', error));
    child.send('go');
    await once(child, 'exit');
    t.log(
      'after the exit',
      t.attempt(() => child.disconnect()),
    );
    unheard.disconnect();
    const thrown = t.attempt(() => unheard.disconnect());
    await once(unheard, 'exit');
    return { thrown, seen: seenByChild() };
  },

  'disconnect() in a message listener: what came with it still arrives': async (cp, t) => {
    const child = sender(t, ['a', 'b', 'c', { cmd: 'NODE_X' }]);
    for (const event of ['message', 'internalMessage', 'disconnect', 'exit'])
      child.on(event, (...args) => t.log(event, args, stateOf(child)));
    child.once('message', () => {
      child.disconnect();
      t.log('disconnected');
    });
    await once(child, 'exit');
    await t.sleep(10);
  },

  'disconnect() in a message listener of the child': async (cp, t) => {
    const child = t.fork(
      t.file(
        'child.js',
        `${WATCH}
      const { existsSync } = require('node:fs')
      process.on('disconnect', () => note('disconnect'))
      process.on('message', (message) => {
        note('message', message)
        if (message === 'a') process.disconnect()
      })
      require('node:fs').writeFileSync('listening', '')
      const deadline = Date.now() + 5000
      while (!existsSync('all-sent') && Date.now() < deadline) ;`,
      ),
    );
    const recorded = t.record(child);
    await t.until(() => fs.existsSync('listening'));
    for (const message of ['a', 'b', 'c']) child.send(message);
    fs.writeFileSync('all-sent', '');
    return { recorded: await recorded, seen: seenByChild() };
  },

  'messages just before disconnect() arrive, in both directions': async (cp, t) => {
    const child = t.fork(
      t.file(
        'child.js',
        `${WATCH}
      process.on('message', (message) => note('message', message))
      process.on('disconnect', () => note('disconnect'))`,
      ),
    );
    for (let i = 0; i < 10; i++) child.send(i);
    child.disconnect();
    await once(child, 'exit');
    const other = t.fork(() => {
      for (let i = 0; i < 10; i++) process.send(i);
      process.disconnect();
    });
    return { seen: seenByChild(), recorded: await t.record(other) };
  },

  'the child is killed, kills itself, exits in a message listener': async (cp, t) => {
    const run = async (body) => {
      const child = t.fork(t.file('child.js', `process.on('message', () => { process.send('last'); ${body} })`));
      const recorded = t.record(child);
      child.send('go');
      return recorded;
    };
    return {
      exit: await run('process.exit(5)'),
      kill: await run('process.kill(process.pid, "SIGKILL")'),
      throws: await run('throw new RangeError("in a listener")'),
    };
  },

  'the parent ends: by itself, by process.exit(), killed': async (cp, t) => {
    const file = t.file(
      'child.js',
      `
      const fs = require('node:fs')
      const seen = []
      process.on('message', (message) => seen.push(message))
      process.on('disconnect', () => {
        seen.push('disconnect', process.connected)
        fs.writeFileSync(process.argv[2] + '.tmp', JSON.stringify(seen))
        fs.renameSync(process.argv[2] + '.tmp', process.argv[2])
      })
      process.send('ready')`,
    );
    const outcomes = {};
    for (const how of ['exit', 'killed', 'natural']) {
      const name = `seen-${how}`;
      const { code, signal } = await t.inNewProcess(
        (cp, t, { file, how, name }) => {
          const child = t.fork(file, { args: [name] });
          child.send('hello');
          child.once('message', () => {
            if (how === 'exit') process.exit(3);
            if (how === 'killed') process.kill(process.pid, 'SIGKILL');
            child.channel.unref();
            child.unref();
          });
        },
        { argument: { file, how, name } },
      );
      const seen = (await t.until(() => fs.existsSync(name))) && JSON.parse(fs.readFileSync(name, 'utf8'));
      outcomes[how] = { code, signal, seen };
    }
    return outcomes;
  },

  'a disconnect listener that throws': async (cp, t) => {
    const child = t.fork(() => process.send('x'));
    child.on('disconnect', () => {
      throw new RangeError('thrown in disconnect');
    });
    return t.record(child);
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

  'an exception in a listener ends the parent when nobody catches it': (cp, t) =>
    t
      .inNewProcess((cp, t) => {
        const child = t.fork(() => {
          process.send('x');
          process.on('message', () => {});
        });
        child.on('message', () => {
          throw new RangeError('thrown in message');
        });
      })
      .then(({ code, signal, stderr }) => ({
        code,
        signal,
        message: /RangeError: thrown in message/.test(stderr),
        stack: stderr.split('\n').some((line) => /scenario-in-new-process/.test(line)),
      })),
});
