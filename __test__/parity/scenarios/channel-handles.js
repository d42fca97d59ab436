'use strict';

// What send() leaves of the object whose handle it takes.

const { once } = require('node:events');
const net = require('node:net');

const { paired } = require('../pairings');

// Writes to each socket that it gets, and tells.
const CHILD = () => {
  process.on('message', (message, socket) => {
    if (message === 'end') process.disconnect();
    else socket.write('child', () => process.send('written'));
  });
};

/** A connection within this process, and `end` to close it. */
async function connection() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect(server.address().port, '127.0.0.1');
  const [accepted] = await once(server, 'connection');
  server.close();
  return { accepted, client };
}

const describe = ({ _handle, destroyed, writable }) => ({ hasHandle: _handle !== null, destroyed, writable });

async function sendOne(cp, t, options) {
  const child = t.fork(CHILD);
  const recorded = t.record(child);
  const { accepted, client } = await connection();
  accepted.on('close', () => t.log('the socket is closed'));
  const before = describe(accepted);
  const isSent = new Promise((resolve) => child.send('a socket', accepted, options, resolve));
  const after = describe(accepted);
  await isSent;
  const written = once(child, 'message');
  const [received] = await once(client, 'data');
  await written;
  const later = describe(accepted);
  if (accepted._handle) {
    accepted.write('parent');
    t.log(String((await once(client, 'data'))[0]));
    accepted.destroy();
  }
  child.send('end');
  client.destroy();
  return { before, after, later, received: String(received), recorded: await recorded };
}

module.exports = paired({
  'a socket that was sent has no handle any more': (cp, t) => sendOne(cp, t, {}),

  'a socket that was sent with keepOpen can still be written to': (cp, t) => sendOne(cp, t, { keepOpen: true }),
});
