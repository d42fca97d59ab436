'use strict';

// Many handles at a time: order, bounds, the end of either process, and a table of descriptors that is full.

const test = require('ava');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const net = require('node:net');
const path = require('node:path');

const { OURS } = require('../parity/harness');
const { runNode, valueFromNode } = require('../helpers/run-node');

const ours = require(OURS);
const MANY = path.join(__dirname, '../fixtures/pass-many.js');
const COUNT = 400;

function script(t, code) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'handles-'));
  // Another user may run it.
  fs.chmodSync(folder, 0o755);
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'script.js');
  fs.writeFileSync(file, code);
  return file;
}

for (const serialization of ['json', 'advanced']) {
  for (const direction of ['forward', 'back', 'both']) {
    test.serial(
      `${COUNT} sockets and messages in one tick arrive in order, and work (${direction}, ${serialization})`,
      async (t) => {
        const { here, there } = await valueFromNode([MANY, OURS, serialization, String(COUNT), direction]);
        for (const { wrong, answered } of [here, there]) t.deepEqual({ wrong, answered }, { wrong: [], answered: [] });
        if (direction !== 'back') t.true(here.asksToWait);
      },
    );
  }
  test.serial(
    `sockets and messages to the builtin's end and from it arrive in order, and work (${serialization})`,
    async (t) => {
      const { here, there } = await valueFromNode([MANY, OURS, serialization, '60', 'both', 'false']);
      for (const { wrong, answered } of [here, there]) t.deepEqual({ wrong, answered }, { wrong: [], answered: [] });
    },
  );
}

test.serial('handles that were sent just before the exit arrive', async (t) => {
  const file = script(
    t,
    `
    const net = require('node:net')
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      for (let i = 0; i < 300; i++) process.send(i, server)
      process.exit()
    })
  `,
  );
  const child = ours.fork(file);
  const arrived = [];
  child.on('message', (message, server) => {
    arrived.push(message);
    server.close();
  });
  await once(child, 'close');
  t.deepEqual(
    arrived,
    Array.from({ length: 300 }, (_, i) => i),
  );
});

test.serial('disconnect() waits until the handles have arrived', async (t) => {
  const file = script(
    t,
    `
    let count = 0
    process.on('message', (_, server) => { count++; server.close() })
    process.on('disconnect', () => { process.exitCode = count === 300 ? 7 : 1 })
  `,
  );
  const child = ours.fork(file);
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (let i = 0; i < 300; i++) child.send(i, server);
  child.disconnect();
  t.false(child.connected);
  server.close();
  const [code] = await once(child, 'exit');
  t.is(code, 7);
});

test.serial('what the listener of a handle throws is an uncaught exception', async (t) => {
  const file = script(
    t,
    `
    process.on('message', (_, server) => { server.close(); throw new Error('mine') })
    process.on('uncaughtException', ({ message }) => process.send(message))
  `,
  );
  const child = ours.fork(file);
  t.teardown(() => child.kill());
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  child.send('x', server);
  t.deepEqual(await once(child, 'message'), ['mine', undefined]);
  server.close();
});

test.serial('what a socket has still to write when it is sent is written', async (t) => {
  const file = script(t, "process.on('message', (_, socket) => socket.end('from the child'))");
  const child = ours.fork(file);
  t.teardown(() => child.kill());
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect(server.address().port, '127.0.0.1');
  const [accepted] = await once(server, 'connection');
  child.send('x', accepted);
  let text = '';
  for await (const data of client) text += data;
  t.is(text, 'from the child');
  server.close();
});

// A process with few descriptors passes sockets to a child that has none left, and then some again.
const CROWDED = `
  const cp = require(${JSON.stringify(OURS)})
  const fs = require('node:fs')
  const net = require('node:net')
  const { once } = require('node:events')
  const count = require(${JSON.stringify(path.join(__dirname, '../parity/leftovers'))}).countAllFds
  if (process.connected) {
    const fds = []
    const fill = () => { try { for (;;) fds.push(fs.openSync('/dev/null')) } catch {} }
    process.on('message', (message, handle) => {
      if (message === 'fill') fill()
      if (message === 'empty') for (const fd of fds.splice(0)) fs.closeSync(fd)
      handle?.close()
      process.send([message, handle !== undefined])
    })
    process.send('ready')
  } else {
    const warnings = []
    process.on('warning', ({ name }) => warnings.push(name))
    const forked = cp.fork(__filename, [], { nativeChannel: process.argv[2] === 'native' })
    const answers = []
    forked.once('message', async () => {
      const server = net.createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      forked.on('message', (message) => answers.push(message))
      forked.send('warm', server)
      await once(forked, 'message')
      const before = count()
      forked.send('fill')
      await once(forked, 'message')
      forked.send('lost', server)
      forked.send('after')
      while (answers.length < 3) await once(forked, 'message')
      forked.send('empty')
      await once(forked, 'message')
      forked.send('found', server)
      while (answers.length < 5) await once(forked, 'message')
      await new Promise(setImmediate)
      const left = count() - before
      server.close()
      forked.disconnect()
      await once(forked, 'exit')
      console.log(JSON.stringify({ answers, warnings, left }))
    })
  }
`;

for (const kind of ['native', 'builtin']) {
  test.serial(
    `a child that is out of descriptors: three more attempts and a warning, and the rest arrives (${kind} child)`,
    async (t) => {
      const file = script(t, CROWDED);
      const limited = script(
        t,
        `
      const { execFileSync } = require('node:child_process')
      const args = [process.execPath, ${JSON.stringify(file)}, '${kind}']
      process.stdout.write(execFileSync('sh', ['-c', 'ulimit -n 80; exec "$0" "$@"', ...args]))
    `,
      );
      const { answers, warnings, left } = await valueFromNode([limited]);
      t.deepEqual(answers, [
        ['warm', true],
        ['fill', false],
        ['after', false],
        ['empty', false],
        ['found', true],
      ]);
      t.deepEqual(warnings, ['SentHandleNotReceivedWarning']);
      t.true(left <= 0, String(left));
    },
  );
}

/** What runs a process as somebody else than root, where somebody else may read all that it needs. */
function nobody() {
  const other = { uid: 65_534, gid: 65_534 };
  try {
    if (process.getuid() === 0)
      execFileSync(process.execPath, ['-e', `require(${JSON.stringify(OURS)})`], {
        ...other,
        cwd: '/',
        stdio: 'ignore',
      });
    return process.getuid() === 0 ? other : {};
  } catch {
    return {};
  }
}

// Any user but root may have only as many descriptors under way as one process may have open.
const LIMITED = `
  const cp = require(${JSON.stringify(OURS)})
  const net = require('node:net')
  const { once } = require('node:events')
  if (process.connected) {
    const until = Date.now() + 300
    process.once('message', () => { while (Date.now() < until); })
    let count = 0
    process.on('message', (message, server) => {
      server?.close()
      if (server) count++
      if (message === 'last') { process.send(count); process.disconnect() }
    })
  } else {
    const server = net.createServer().listen(0, '127.0.0.1', async () => {
      const children = Array.from({ length: 2 }, () => cp.fork(__filename))
      const counts = await Promise.all(children.map(async (child) => {
        child.send('busy')
        for (let i = 0; i < 30; i++) child.send(i, server)
        child.send('last')
        return (await once(child, 'message'))[0]
      }))
      server.close()
      console.log(JSON.stringify(counts))
    })
  }
`;

test.serial('more descriptors than a user may have under way wait for room', async (t) => {
  const file = script(t, LIMITED);
  const asNobody = nobody();
  const limited = script(
    t,
    `
    const { execFileSync } = require('node:child_process')
    const options = ${JSON.stringify({ ...asNobody, cwd: '/' })}
    const args = [process.execPath, ${JSON.stringify(file)}]
    process.stdout.write(execFileSync('sh', ['-c', 'ulimit -n 100; exec "$0" "$@"', ...args], options))
  `,
  );
  for (const { stdout, stderr } of await Promise.all([1, 2, 3].map(() => runNode([limited]))))
    t.is(stdout.trim(), '[30,30]', stderr);
});
