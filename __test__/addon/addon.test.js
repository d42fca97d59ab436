'use strict';

// The addon is whole by itself: the `.node` file alone, without any file of `lib/`, forks a script and talks with it.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const { OURS } = require('../parity/harness');
const { openAddon, openChannel } = require('../fixtures/addon');

const ROOT = path.dirname(OURS);
const BINARY = path.join(
  ROOT,
  fs.readdirSync(ROOT).find((name) => name.endsWith('.node')),
);
const SCRIPT = path.join(__dirname, '../fixtures/addon.js');

function fork(addon, mode, secret, onMessage) {
  const { native } = addon;
  const child = {};
  const ended = new Promise((resolve) => (child.onexit = resolve));
  const stdio = ['ignore', 'inherit', 'inherit'];
  // A child that knows the secret finds the channel by itself.
  const process = secret
    ? native.spawn(globalThis.process.execPath, [SCRIPT, BINARY, mode, secret], { stdio: [...stdio, 'pipe'] }, child)
    : native.fork(SCRIPT, [BINARY, mode], { stdio: [...stdio, 'ipc'], serialization: mode }, child);
  const { pid } = process;
  const fd = process.takePipe(3);
  const disconnected = new Promise((resolve) => {
    child.channel = openChannel(addon, fd, { isAdvanced: mode === 'advanced', expects: secret }, onMessage, resolve);
  });
  child.channel.ref();
  return Object.assign(child, { pid, ended, disconnected });
}

for (const mode of ['json', 'advanced']) {
  for (const secret of ['of the test', undefined]) {
    const end = secret ? 'native' : 'builtin';
    test(`a forked script gets an object and a socket, and gives them back (${mode}, ${end} end)`, async (t) => {
      const arrived = [];
      let heard = () => {};
      const child = fork(openAddon(BINARY), mode, secret, (...given) => {
        arrived.push(given);
        heard();
      });
      t.true(child.pid > 0);
      t.true(child.channel.hasRef());
      t.true(child.channel.fd > 2);
      const next = async (count) => {
        while (arrived.length < count) await new Promise((resolve) => (heard = resolve));
        return arrived[count - 1];
      };

      const written = new Promise((resolve) => child.channel.send({ list: [1, 'é'] }, undefined, undefined, resolve));
      t.is(await written, null);
      t.deepEqual(await next(1), [{ answer: { list: [1, 'é'] } }]);
      child.channel.send('text');
      t.deepEqual(await next(2), [{ answer: 'text' }]);

      const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = net.connect(server.address().port, '127.0.0.1');
      const [accepted] = await once(server, 'connection');
      child.channel.send('socket', accepted);
      const [message, socket] = await next(3);
      t.deepEqual(message, { answer: 'socket' });
      t.true(socket instanceof net.Socket);
      socket.end('through the child and back');
      const [data] = await once(client, 'data');
      t.is(String(data), 'through the child and back');
      client.destroy();
      server.close();

      t.throws(() => child.channel.send(() => {}));
      t.throws(() => child.channel.send('no handle', {}));
      // Perhaps the socket is still to be acknowledged.
      t.is(typeof child.channel.disconnect(), 'boolean');
      await child.disconnected;
      t.is(await child.ended, 0);
      t.true(child.channel.fd < 0);
    });
  }
}

test('nothing of lib/ was loaded', (t) => {
  const folder = path.join(ROOT, 'lib') + path.sep;
  t.deepEqual(
    Object.keys(require.cache).filter((file) => file.startsWith(folder)),
    [],
  );
});
