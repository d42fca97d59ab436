'use strict';

// Much through a channel: order, size, what a slow reader means for the writer, and what arrives of the last words
// before an end.

const { paired } = require('../pairings');

const MB = 1 << 20;

// A program that has a channel and never reads it.
const DEAF = { execPath: '/bin/sh', execArgv: ['-c', 'exec sleep 20'], stdio: 'ignore' };

// Tells what it got by length and hash, and sends it back.
const MIRROR = () => {
  const { createHash } = require('node:crypto');
  const sha1 = (text) => createHash('sha1').update(text).digest('hex');
  process.on('message', (message) => {
    // Not before all is written: disconnect() does not wait for it.
    if (message === 'end') return process.send('end', () => process.disconnect());
    const text = typeof message === 'string' ? message : Buffer.isBuffer(message) ? message : JSON.stringify(message);
    process.send([typeof message, Buffer.isBuffer(message), text.length, sha1(text)]);
    process.send(message);
  });
};

// Whether the end of a process or the rest of much data is noticed first is a race: only the messages are compared.
async function messagesOf(child) {
  const messages = [];
  child.on('message', (message) => messages.push(message));
  await new Promise((resolve) => child.on('close', resolve));
  return messages;
}

function mirrored(t, messages) {
  const child = t.fork(MIRROR);
  const got = messagesOf(child);
  for (const message of messages) child.send(message);
  child.send('end');
  return got;
}

const text = (length, seed = 'abcdefghijklmnopqrstuvwxyz0123456789') =>
  seed.repeat(Math.ceil(length / seed.length)).slice(0, length);

function items(count) {
  return Array.from({ length: count }, (_, i) => ({
    id: i,
    name: `item ${i}`,
    tags: ['a', 'b'],
    nested: { even: i % 2 === 0, half: i / 2 },
  }));
}

module.exports = paired({
  'twenty thousand small messages to the child, in order': async (cp, t) => {
    const child = t.fork(() => {
      let next = 0;
      let wrong = 0;
      process.on('message', ({ i, last }) => {
        if (i !== next++) wrong += 1;
        if (!last) return;
        process.send({ next, wrong });
        process.disconnect();
      });
    });
    const recorded = t.record(child);
    for (let i = 0; i < 20_000; i++) child.send({ i, last: i === 19_999 });
    return recorded;
  },

  'twenty thousand small messages from the child, in order': async (cp, t) => {
    const child = t.fork(() => {
      for (let i = 0; i < 20_000; i++) process.send({ i });
    });
    const counts = { next: 0, wrong: 0 };
    child.on('message', ({ i }) => {
      if (i !== counts.next++) counts.wrong += 1;
    });
    const ended = await new Promise((resolve) => child.on('close', (...args) => resolve([args, counts.next])));
    return { counts, ended };
  },

  'a message each way, a thousand times': async (cp, t) => {
    const child = t.fork(() => process.on('message', (message) => process.send(message + 1)));
    let last;
    await new Promise((resolve) => {
      child.on('message', (message) => {
        last = message;
        if (message >= 2000) resolve();
        else child.send(message + 1);
      });
      child.send(0);
    });
    child.kill();
    return { last, recorded: await t.record(child) };
  },

  'both ends flood each other': async (cp, t) => {
    const child = t.fork(() => {
      let got = 0;
      process.on('message', (message) => {
        got += 1;
        process.send(message, got === 300 ? () => process.disconnect() : undefined);
      });
      for (let i = 0; i < 300; i++) process.send(`${i}`.padEnd(10_000, '.'));
    });
    const got = { own: 0, returned: 0, wrong: 0 };
    child.on('message', (message) => {
      const kind = message.endsWith('.') ? 'own' : 'returned';
      if (Number.parseInt(message, 10) !== got[kind]++) got.wrong += 1;
    });
    for (let i = 0; i < 300; i++) child.send(`${i}`.padEnd(10_000, '-'));
    const ended = await new Promise((resolve) => child.on('close', (...args) => resolve(args)));
    return { got, ended };
  },

  'strings about the size of a read': (cp, t) =>
    mirrored(
      t,
      [65_500, 65_530, 65_533, 65_534, 65_535, 65_536, 65_537, 65_540, 131_070, 131_072, 131_074].map((length) =>
        text(length),
      ),
    ),

  'characters of several bytes, cut wherever a read ends': (cp, t) =>
    mirrored(t, [
      text(70_000, 'é'),
      text(70_001, '\u{1F600}a'),
      text(69_999, '€'),
      `a${text(200_000, '€')}`,
      `ab${text(200_000, '€')}`,
    ]),

  'strings of one and ten megabytes': (cp, t) => mirrored(t, [text(MB), text(10 * MB), text(MB, 'é"\n\\')]),

  'an object of a megabyte': (cp, t) =>
    mirrored(t, [items(12_000)]).then(([seen, returned, end]) => [
      seen,
      returned.length,
      JSON.stringify(returned) === JSON.stringify(items(12_000)),
      end,
    ]),

  'Buffers': async (cp, t) => {
    if (t.serialization === 'json') return 'they are objects there';
    return mirrored(t, [
      Buffer.alloc(0),
      Buffer.from('x'),
      Buffer.alloc(65_536, 'b'),
      Buffer.alloc(MB, 'c'),
      Buffer.alloc(10 * MB, 'd'),
    ]);
  },

  'small ones among big ones keep their place': (cp, t) =>
    mirrored(t, ['a', text(300_000), 'b', 'c', text(1_000_000), 'd', text(10), 'e']),

  'a reader that does not read: send() returns false past the backlog, and callbacks wait': async (cp, t) => {
    const child = t.fork('module', DEAF);
    const recorded = t.record(child);
    const called = [];
    const send = (length) => child.send(text(length), (error) => called.push([length, error]));
    const returned = [send(10), send(100_000), send(2 * MB), send(20), send(30)];
    await t.sleep(50);
    const before = called.slice();
    child.kill();
    await recorded;
    await t.sleep(10);
    // The builtin says of what was never written that it was: channel-deliberate.test.js.
    return { returned, before, called: called.map(([length]) => length) };
  },

  'a reader that reads late: all arrives, callbacks come in order': async (cp, t) => {
    const child = t.fork(() => {
      let got = 0;
      process.on('message', (message) => {
        if (Number.parseInt(message, 10) !== got++) process.send('wrong');
        if (got === 60) process.send({ got }, () => process.disconnect());
      });
      process.send('blocking');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
    });
    await new Promise((resolve) => child.once('message', resolve));
    const recorded = t.record(child);
    const called = [];
    const returned = [];
    for (let i = 0; i < 60; i++)
      returned.push(child.send(`${i}`.padEnd(50_000, '.'), (error) => called.push([i, error])));
    return { first: returned[0], last: returned.at(-1), recorded: await recorded, called };
  },

  'a child that never reads what it is sent may still send': (cp, t) => {
    const child = t.fork(() => {
      for (let i = 0; i < 3; i++) process.send(i);
      setTimeout(() => process.exit(), 30);
    });
    const recorded = t.record(child);
    for (let i = 0; i < 100; i++) child.send(i);
    return recorded;
  },

  'a big message and then the natural end': (cp, t) =>
    messagesOf(
      t.fork(() => {
        process.send('x'.repeat(5_000_000));
      }),
    ),

  // What a signal cuts off is another matter: channel-deliberate.test.js.
  'last words before every kind of end arrive': async (cp, t) => {
    const endings = {
      exit: () => process.exit(3),
      exitInTick: () => process.nextTick(() => process.exit(4)),
      reallyExit: () => process.reallyExit(5),
      disconnect: () => process.disconnect(),
      thrown: () => {
        throw new RangeError('after the messages');
      },
      rejected: () => {
        Promise.reject(new RangeError('after the messages'));
      },
      natural: () => {},
    };
    const outcomes = {};
    for (const [name, end] of Object.entries(endings)) {
      const file = t.file(
        `${name}.js`,
        `
        for (let i = 0; i < 5; i++) process.send({ i })
        ;(${end})()`,
      );
      outcomes[name] = t.outcome(() => t.fork(file, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }));
    }
    return Object.fromEntries(
      await Promise.all(Object.entries(outcomes).map(async ([name, outcome]) => [name, await outcome])),
    );
  },

  'sends in exit, beforeExit, uncaughtException and disconnect listeners': (cp, t) =>
    t.outcome(() =>
      t.fork(() => {
        process.on('exit', (code) => {
          for (let i = 0; i < 3; i++) process.send(['exit', code, i]);
        });
        process.once('beforeExit', () => {
          process.send('beforeExit');
          setImmediate(() => {
            throw new RangeError('thrown later');
          });
        });
        process.on('uncaughtException', (error) => {
          process.send(['uncaughtException', error.message]);
          process.exitCode = 6;
        });
        process.send('first');
      }),
    ),

  // One in a tick: channel-deliberate.test.js.
  'sends arrive though the sender blocks afterwards': async (cp, t) => {
    const file = t.program(() => {
      const fs = require('node:fs');
      const order = [];
      process.on('message', (message) => {
        order.push(message);
        if (message === 'c') fs.writeFileSync('got', order.join());
      });
      process.send('ready');
    });
    const child = t.fork(file);
    await new Promise((resolve) => child.once('message', resolve));
    for (const message of ['a', 'b', 'c']) {
      child.send(message);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { existsSync, readFileSync } = require('node:fs');
    const deadline = Date.now() + 3000;
    while (Date.now() < deadline && !(existsSync('got') && readFileSync('got', 'utf8') !== ''));
    const got = existsSync('got') && readFileSync('got', 'utf8');
    child.kill();
    return { got, recorded: await t.record(child) };
  },

  'the parent’s last words before process.exit() arrive': async (cp, t) => {
    const file = t.program(() => {
      const got = [];
      process.on('message', (message) => got.push(message));
      process.on('disconnect', () => require('node:fs').writeFileSync('got', JSON.stringify(got)));
    });
    const ended = await t.inNewProcess(
      (cp, t, file) => {
        const child = t.fork(file);
        for (let i = 0; i < 5; i++) child.send({ i });
        process.exit(3);
      },
      { argument: file },
    );
    const { existsSync, readFileSync } = require('node:fs');
    const isThere = await t.until(() => existsSync('got') && readFileSync('got', 'utf8') !== '');
    return { ended, got: isThere && readFileSync('got', 'utf8') };
  },
});
