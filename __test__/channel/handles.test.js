'use strict';

// Sockets and servers sent over a channel, to either kind of end and from it: data flows through what arrives.

const test = require('ava');
const { execFile } = require('node:child_process');
const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');

const { OURS } = require('../parity/harness');
const { withChildEnd } = require('../parity/pairings');
const { countAllFds, until } = require('../helpers/settle');

const ours = require(OURS);
// Who forks, and what the child's end is then.
const PAIRINGS = {
  'ours to ours': ours,
  'ours to builtin': withChildEnd(ours, 'builtin'),
  'builtin to ours': withChildEnd(require('node:child_process'), 'ours'),
};

// Answers through whatever it is sent, and sends one of each kind when it is asked to.
const CHILD = `
const net = require('node:net'); const dgram = require('node:dgram')
process.on('message', (kind, handle) => {
  if (kind === 'socket') {
    handle.on('data', (data) => handle.write('child got ' + data))
    handle.on('end', () => handle.end())
  }
  if (kind === 'server') handle.on('connection', (socket) => socket.end('served by the child'))
  if (kind === 'raw') new net.Socket({ handle }).on('data', function (data) { this.end('raw got ' + data) })
  if (kind === 'udp') {
    const udp = dgram.createSocket('udp4')
    udp.on('message', (message, { port }) => udp.send('raw datagram ' + message, port, '127.0.0.1')).bind(handle)
  }
  if (kind === 'native') {
    net.createServer().on('connection', (socket) => socket.end('native in the child')).listen(handle)
  }
  if (kind === 'dgram') {
    handle.on('message', (message, { port }) => handle.send('datagram ' + message, port, '127.0.0.1'))
  }
  if (kind === 'give') {
    const server = net.createServer()
    server.listen(0, '127.0.0.1', () => process.send('given', server, () => server.close()))
  }
  process.send(['took', kind, handle?.constructor.name ?? null])
})
`;

function start(t, options, cp = ours) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'handles-'));
  const file = path.join(folder, 'child.js');
  fs.writeFileSync(file, CHILD);
  const child = cp.fork(file, options);
  t.teardown(() => {
    child.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true });
  });
  return child;
}

/** Resolves with the next message, and its handle, that `isWanted` says is it. */
function next(child, isWanted) {
  return new Promise((resolve) => {
    child.on('message', function take(message, handle) {
      if (!isWanted(message)) return;
      child.off('message', take);
      resolve([message, handle]);
    });
  });
}

const took = (child, kind) => next(child, (message) => message[0] === 'took' && message[1] === kind);

async function read(port) {
  const socket = typeof port === 'string' ? net.connect(port) : net.connect(port, '127.0.0.1');
  let text = '';
  for await (const data of socket) text += data;
  return text;
}

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

for (const serialization of ['json', 'advanced']) {
  for (const [pairing, cp] of Object.entries(PAIRINGS)) {
    const label = `${pairing}, ${serialization}`;
    const options = { serialization };

    test(`a connected socket goes on in the child (${label})`, async (t) => {
      const child = start(t, options, cp);
      const server = net.createServer();
      const port = await listening(server);
      const client = net.connect(port, '127.0.0.1');
      const [accepted] = await once(server, 'connection');
      const arrived = took(child, 'socket');
      t.true(child.send('socket', accepted));
      // Order is kept behind a handle.
      child.send('plain');
      const plain = took(child, 'plain');
      t.deepEqual((await arrived)[0], ['took', 'socket', 'Socket']);
      await plain;
      client.write('hello');
      const [answer] = await once(client, 'data');
      t.is(String(answer), 'child got hello');
      t.is(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 1);
      client.end();
      const closed = once(server, 'close');
      server.close();
      await closed;
    });

    test(`a getter in the message that itself sends does not take the handle away (${label})`, async (t) => {
      const child = start(t, options, cp);
      const server = net.createServer();
      await listening(server);
      const all = next(child, (message) => message[1]?.outer);
      const inner = took(child, 'inner');
      const message = {
        get outer() {
          child.send('inner');
          return true;
        },
      };
      child.send(message, server);
      server.close();
      t.deepEqual((await inner)[0], ['took', 'inner', null]);
      t.deepEqual((await all)[0], ['took', { outer: true }, 'Server']);
    });

    test(`a server, shared and native (${label})`, async (t) => {
      const child = start(t, options, cp);
      for (const [kind, expected] of [
        ['server', 'served by the child'],
        ['native', 'native in the child'],
      ]) {
        const server = net.createServer();
        const port = await listening(server);
        const arrived = took(child, kind);
        child.send(kind, kind === 'server' ? server : server._handle);
        await arrived;
        server.close();
        t.is(await read(port), expected);
      }
    });

    test(`a datagram socket (${label})`, async (t) => {
      const child = start(t, options, cp);
      const [mine, theirs] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
      mine.bind(0, '127.0.0.1');
      theirs.bind(0, '127.0.0.1');
      await Promise.all([once(mine, 'listening'), once(theirs, 'listening')]);
      const { port } = theirs.address();
      const arrived = took(child, 'dgram');
      child.send('dgram', theirs);
      await arrived;
      theirs.close();
      mine.send('x', port, '127.0.0.1');
      const [answer] = await once(mine, 'message');
      t.is(String(answer), 'datagram x');
      mine.close();
    });

    test(`a raw socket and a raw datagram socket (${label})`, async (t) => {
      const child = start(t, options, cp);
      const server = net.createServer({ pauseOnConnect: true });
      const client = net.connect(await listening(server), '127.0.0.1');
      const [accepted] = await once(server, 'connection');
      const hasSocket = took(child, 'raw');
      child.send('raw', accepted._handle);
      await hasSocket;
      accepted.destroy();
      client.write('hello');
      t.is(String((await once(client, 'data'))[0]), 'raw got hello');
      server.close();

      const [mine, theirs] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
      mine.bind(0, '127.0.0.1');
      theirs.bind(0, '127.0.0.1');
      await Promise.all([once(mine, 'listening'), once(theirs, 'listening')]);
      const { port } = theirs.address();
      const [symbol] = Object.getOwnPropertySymbols(theirs).filter(({ description }) => description === 'state symbol');
      const hasDatagrams = took(child, 'udp');
      child.send('udp', theirs[symbol].handle);
      await hasDatagrams;
      theirs.close();
      mine.send('x', port, '127.0.0.1');
      t.is(String((await once(mine, 'message'))[0]), 'raw datagram x');
      mine.close();
    });

    test(`a Unix-domain socket and server (${label})`, async (t) => {
      const child = start(t, options, cp);
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'handles-'));
      t.teardown(() => fs.rmSync(folder, { recursive: true }));
      const server = net.createServer();
      server.listen(path.join(folder, 'socket'));
      await once(server, 'listening');
      const client = net.connect(path.join(folder, 'socket'));
      const [accepted] = await once(server, 'connection');
      const hasSocket = took(child, 'socket');
      child.send('socket', accepted);
      await hasSocket;
      client.end('hello');
      t.is(String((await once(client, 'data'))[0]), 'child got hello');
      const hasServer = took(child, 'server');
      child.send('server', server);
      await hasServer;
      // Closing it removes its file, but not another name of it.
      fs.linkSync(path.join(folder, 'socket'), path.join(folder, 'other'));
      server.close();
      t.is(await read(path.join(folder, 'other')), 'served by the child');
    });

    test(`a server that the child gives (${label})`, async (t) => {
      const child = start(t, options, cp);
      const given = next(child, (message) => message === 'given');
      child.send('give');
      const [, server] = await given;
      const { port } = server.address();
      server.on('connection', (socket) => socket.end('served by the parent'));
      t.is(await read(port), 'served by the parent');
      server.close();
    });
  }
}

test('what cannot be sent is refused, and nothing is sent', (t) => {
  const child = start(t);
  for (const handle of [{}, 'text', 7, new (require('node:events'))()]) {
    t.throws(() => child.send('x', handle), { code: 'ERR_INVALID_HANDLE_TYPE' });
  }
});

test.serial('a child that dies with handles on their way leaves no descriptor', async (t) => {
  const server = net.createServer();
  const port = await listening(server);
  // What the first children make, descriptors of the loop and of the threads' own, stays.
  const few = 4;
  const first = start(t);
  await once(first, 'spawn');
  first.kill();
  await once(first, 'exit');
  const before = countAllFds();
  for (let i = 0; i < 5; i++) {
    const child = start(t);
    child.on('error', () => {});
    await once(child, 'spawn');
    const sockets = [];
    for (let sent = 0; sent < 10; sent++) {
      const client = net.connect(port, '127.0.0.1');
      client.on('error', () => {});
      const [accepted] = await once(server, 'connection');
      sockets.push(client, accepted);
      child.send('socket', accepted, () => {});
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    // Those whose turn had not come are still the program's.
    for (const socket of sockets) socket.destroy();
  }
  server.close();
  t.true(await until(() => countAllFds() <= before + few), `${countAllFds()} descriptors, ${before} before`);
});

for (const [name, cp] of Object.entries({ ...PAIRINGS, builtin: require('node:child_process') })) {
  test.serial(`${name}: a datagram socket that is not bound has nothing that could be sent`, async (t) => {
    const child = start(t, {}, cp);
    const socket = dgram.createSocket('udp4');
    const error = await new Promise((resolve) => child.send('udp', socket, resolve));
    t.is(error.code, 'EBADF');
    socket.close();
  });
}

// Started with a socket; hands it back and ends. Meanwhile its parent is busy.
const BUSY_PARENT = `
const { fork } = require(process.argv[2])
const net = require('node:net')
if (process.argv[4] === 'child') process.once('message', (message, handle) => process.send('back', handle))
else {
  const server = net.createServer((socket) => socket.unref())
  const child = fork(__filename, [process.argv[2], '', 'child'], { serialization: process.argv[3] })
  process.on('warning', ({ code }) => console.log(code))
  child.on('message', (message, handle) => {
    console.log(message, handle?.constructor.name)
    server.close()
    handle?.destroy()
  })
  child.on('exit', (code) => console.log('exit', code))
  server.listen(0, () => {
    const client = net.connect(server.address().port, () => {
      child.send('take', client)
      setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000), 20)
    })
  })
}
`;

for (const serialization of ['json', 'advanced']) {
  test.serial(
    `${serialization}: a handle comes back from a child that ends at once, while its parent is busy`,
    async (t) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'handles-'));
      t.teardown(() => fs.rmSync(folder, { recursive: true }));
      const file = path.join(folder, 'parent.js');
      fs.writeFileSync(file, BUSY_PARENT);
      const { stdout } = await promisify(execFile)(process.execPath, [file, OURS, serialization]);
      t.is(stdout, 'back Socket\nexit 0\n');
    },
  );
}

// Cannot create a socket after the first one.
const FAILING = `
const { TCP } = process.binding('tcp_wrap')
process.on('error', ({ syscall }) => process.send(syscall))
process.on('message', (message, socket) => {
  TCP.prototype.open = () => -22
  socket.destroy().once('close', () => process.send('closed'))
})
`;

test('a server closes although a child could not create one of its sockets', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'handles-'));
  const file = path.join(folder, 'child.js');
  fs.writeFileSync(file, FAILING);
  const child = ours.fork(file, { execArgv: ['--no-warnings'] });
  t.teardown(() => {
    child.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true });
  });
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answers = [];
  for (let i = 0; i < 2; i++) {
    net.connect(server.address().port, '127.0.0.1').on('error', () => {});
    const [socket] = await once(server, 'connection');
    child.send('socket', socket);
    answers.push(...(await once(child, 'message')).slice(0, 1));
  }
  t.deepEqual(answers, ['closed', 'open']);
  server.close();
  await once(server, 'close');
});
