'use strict';

// The addon is whole by itself: the `.node` file alone, without any file of `lib/`, forks a script and talks with it.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { execPath } = require('node:process');

const { OURS } = require('../parity/harness');
const { listen, openAddon, openChannel } = require('../fixtures/addon');

const ROOT = path.dirname(OURS);
const BINARY = path.join(
  ROOT,
  fs.readdirSync(ROOT).find((name) => name.endsWith('.node')),
);
const SCRIPT = path.join(__dirname, '../fixtures/addon.js');

/** Starts the script: by `spawn`, as a child that knows a secret and finds the pipe by itself, or by `fork`. */
function start(addon, mode, secret, onMessage) {
  const { native, runtime } = addon;
  const child = {};
  const ended = new Promise((resolve) => (child.onexit = resolve));
  let end;
  const disconnected = new Promise((resolve) => {
    const stdio = ['ignore', 'inherit', 'inherit'];
    if (secret) {
      const options = { stdio: [...stdio, 'pipe'] };
      const process = native.spawn(execPath, [SCRIPT, BINARY, mode, secret], options, child);
      end = openChannel(addon, process.takePipe(3), { serialization: mode, expects: secret }, onMessage, resolve);
      end.channel.ref();
    } else {
      end = Object.assign(listen(onMessage, resolve), child, { runtime });
      const options = { stdio: [...stdio, 'ipc'], serialization: mode };
      end.channel = native.fork(SCRIPT, [BINARY, mode], options, end).channel;
    }
  });
  return { channel: end.channel, ended, disconnected };
}

for (const mode of ['json', 'advanced']) {
  for (const secret of ['of the test', undefined]) {
    const end = secret ? 'native' : 'builtin';
    test(`a forked script gets an object and a socket, and gives them back (${mode}, ${end} end)`, async (t) => {
      const arrived = [];
      let heard = () => {};
      const child = start(openAddon(BINARY), mode, secret, (...given) => {
        arrived.push(given);
        heard();
      });
      t.true(child.channel.hasRef());
      t.true(child.channel.fd() > 2);
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
      t.true(child.channel.fd() < 0);
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
