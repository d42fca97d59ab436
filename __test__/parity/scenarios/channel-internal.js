'use strict';

// Internal messages: an object whose cmd begins with NODE_ is not for 'message'; anything else is.

const { paired } = require('../pairings');

// Each with a name of its own, so that none is taken for what the channel itself uses (NODE_HANDLE and its kin).
const CANDIDATES = [
  { cmd: 'NODE_X' },
  { cmd: 'NODE_X', more: [1, { a: 2 }] },
  { cmd: 'NODE_' },
  { cmd: 'NODE_ ' },
  { cmd: 'NODE__' },
  { cmd: 'NODE' },
  { cmd: 'node_x' },
  { cmd: 'Node_X' },
  { cmd: ' NODE_X' },
  { cmd: 'XNODE_X' },
  { cmd: 'NODE_é' },
  { cmd: 'NODE_\u{1F600}' },
  { cmd: 'NODE_\n' },
  { cmd: '' },
  { cmd: null },
  { cmd: 1 },
  { cmd: true },
  { cmd: ['NODE_X'] },
  { cmd: { cmd: 'NODE_X' } },
  { message: { cmd: 'NODE_X' } },
  { CMD: 'NODE_X' },
  [{ cmd: 'NODE_X' }],
  ['cmd', 'NODE_X'],
  'NODE_X',
  { more: 'first', cmd: 'NODE_LAST' },
  { cmd: 'NODE_X', cmd2: 'NODE_Y', act: 'x', seq: 1, ack: 2 },
  { cmd: 'NODE_CLUSTERX', type: null, msg: 'x' },
  { type: 'NODE_X', msg: { cmd: 'NODE_X' } },
];

const LISTENER = `
  const seen = []
  for (const event of ['message', 'internalMessage']) {
    process.on(event, (message, handle) => {
      if (message === 'end') return process.send(seen, () => process.disconnect())
      seen.push([event, message, String(handle)])
    })
  }`;

module.exports = paired({
  'to the child': async (cp, t) => {
    const child = t.fork(t.file('listener.js', LISTENER));
    const recorded = t.record(child);
    for (const message of CANDIDATES) child.send(message);
    child.send('end');
    return recorded;
  },

  'from the child': async (cp, t) => {
    const child = t.fork(
      t.file('sender.js', `for (const message of ${JSON.stringify(CANDIDATES)}) process.send(message)`),
    );
    const seen = [];
    for (const event of ['message', 'internalMessage'])
      child.on(event, (message, handle) => seen.push([event, message, handle]));
    return { recorded: await t.record(child), seen };
  },

  'values that only look like a cmd': async (cp, t) => {
    const child = t.fork(t.file('listener.js', LISTENER));
    const recorded = t.record(child);
    const inherited = Object.create({ cmd: 'NODE_X' });
    const hidden = Object.defineProperty({ a: 1 }, 'cmd', { value: 'NODE_X', enumerable: false });
    const array = Object.assign(['a'], { cmd: 'NODE_X' });
    for (const message of [
      inherited,
      hidden,
      array,
      {
        get cmd() {
          return 'NODE_GETTER';
        },
      },
      { cmd: new String('NODE_BOXED') },
      { toJSON: () => ({ cmd: 'NODE_JSON' }) },
    ]) {
      t.log(t.attempt(() => child.send(message)));
    }
    if (t.serialization === 'advanced') child.send(new Map([['cmd', 'NODE_MAP']]));
    child.send('end');
    return recorded;
  },

  'nobody listens to internal messages: they are dropped, and do not wait': async (cp, t) => {
    const child = t.fork(() => {
      process.send({ cmd: 'NODE_EARLY' });
      process.once('message', (message) => {
        process.on('internalMessage', (internal) => process.send(['late', internal]));
        process.send(['message', message]);
        setTimeout(() => process.disconnect(), 20);
      });
    });
    child.send({ cmd: 'NODE_EARLY' });
    child.send('plain');
    const recorded = t.record(child);
    await new Promise((resolve) => child.once('message', resolve));
    child.on('internalMessage', (message) => t.log('late', message));
    return recorded;
  },

  'internal messages do not wait though messages do': async (cp, t) => {
    const child = t.fork(() => {
      const order = [];
      process.on('internalMessage', (message) => {
        order.push(['internal', message.cmd]);
        if (message.cmd === 'NODE_THREE') setTimeout(() => process.on('message', onMessage), 20);
      });
      const onMessage = (message) => {
        order.push(['message', message]);
        if (message === 'two') process.send(order, () => process.disconnect());
      };
      // Somebody has to keep the process alive meanwhile.
      setTimeout(() => {}, 100);
    });
    const recorded = t.record(child);
    for (const message of [{ cmd: 'NODE_ONE' }, 'one', { cmd: 'NODE_TWO' }, 'two', { cmd: 'NODE_THREE' }])
      child.send(message);
    return recorded;
  },

  'order among both kinds': async (cp, t) => {
    const child = t.fork(t.file('listener.js', LISTENER));
    const recorded = t.record(child);
    for (let i = 0; i < 40; i++) child.send(i % 3 === 0 ? { cmd: `NODE_${i}` } : i);
    child.send('end');
    return recorded;
  },

  'what announces a handle is heard before what came with it': async (cp, t) => {
    const child = t.fork(
      t.file(
        'giver.js',
        `
      const net = require('node:net')
      process.once('message', async () => {
        for (const message of ['plain', { cmd: 'NODE_INSIDE' }]) {
          const server = net.createServer().listen(0, '127.0.0.1')
          await new Promise((resolve) => server.once('listening', resolve))
          const client = net.connect(server.address().port, '127.0.0.1')
          const [accepted] = await require('node:events').once(server, 'connection')
          await new Promise((resolve) => process.send(message, accepted, resolve))
          await new Promise((resolve) => client.once('close', resolve).resume())
          server.close()
        }
        process.disconnect()
      })`,
      ),
    );
    const recorded = t.record(child);
    const seen = [];
    for (const event of ['message', 'internalMessage']) {
      child.on(event, (message, handle) => {
        if (message.cmd === 'NODE_HANDLE') seen.push([event, 'announced', message.msg]);
        else if (/^NODE_(HANDLE|SOCKET)/.test(message.cmd)) return;
        else seen.push([event, message, handle?.constructor.name]);
        handle?.destroy?.();
      });
    }
    child.send('go');
    return { recorded: await recorded, seen };
  },

  'a listener of internal messages alone does not keep the child': (cp, t) =>
    t.outcome(() =>
      t.fork(() => {
        process.on('internalMessage', () => {});
        process.send('listening');
      }),
    ),
});
