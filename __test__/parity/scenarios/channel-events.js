'use strict';

// message, disconnect, exit, close: their order, disconnect() from either side, the end of either side.

const { once } = require('node:events');
const fs = require('node:fs');

const { paired } = require('../pairings');

const EVENTS = ['spawn', 'message', 'disconnect', 'exit', 'close', 'error'];

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
