'use strict';

// What is done while a call fails. An operation gets the module, and `note`, which takes down an event; it ends when
// all of it has ended. Errors are noted as ['error', code], whatever way they come.

const dgram = require('node:dgram');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const PEER = path.join(__dirname, 'peer.js');
const NOBODY = 65534;

const happens = (emitter, event) =>
  new Promise((resolve) => {
    emitter.once(event, resolve);
  });

function noteError(note, { code, syscall, message }) {
  note('error', code ?? 'none', syscall ?? '', message.split('\n')[0]);
}

/** Attempts what may throw; undefined where it has. */
function attempt(note, action) {
  try {
    return action();
  } catch (error) {
    noteError(note, error);
    return undefined;
  }
}

/** Notes what a child does until `over`, which by default is its 'close'. */
async function follow(note, child, over = happens(child, 'close')) {
  const outputs = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name]?.setEncoding('utf8').on('data', (text) => {
      outputs[name] += text;
    });
  }
  for (const stream of child.stdio ?? []) stream?.on('error', (error) => noteError(note, error));
  child.on('spawn', () => note('spawn'));
  child.on('exit', (code, signal) => note('exit', code, signal));
  await over;
  note('stdout', outputs.stdout);
  note('stderr', outputs.stderr);
}

async function spawned(note, start) {
  const child = attempt(note, start);
  if (!child) return;
  child.on('error', (error) => noteError(note, error));
  const over = follow(note, child);
  child.stdin?.end('input');
  await over;
}

const spawn = (cp, note) => spawned(note, () => cp.spawn('sh', ['-c', 'cat; echo problem >&2; exit 3']));

// A directory, a session, an environment; the null device, a descriptor that another one displaces, and one above the
// usual three.
async function options(cp, note) {
  const fd = fs.openSync(__filename);
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe', fd, 0];
  await spawned(note, () =>
    cp.spawn('sh', ['-c', 'pwd; echo $WORD; head -n 1 <&4; echo three >&3; exit 3'], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH, WORD: 'word' },
      stdio,
    }),
  );
  fs.closeSync(fd);
}

const AS_NOBODY = { uid: NOBODY, gid: NOBODY };
const user = (cp, note) => spawned(note, () => cp.spawn('sh', ['-c', 'cat; id -u; id -g; exit 3'], AS_NOBODY));

/** Notes what a callback of exec gets. */
function called(note, resolve) {
  return (error, stdout) => {
    if (typeof error?.code === 'number') note('exit', error.code, error.signal);
    else if (error?.killed) note('exit', null, error.signal);
    else if (error) noteError(note, error);
    else note('exit', 0, null);
    note('stdout', stdout);
    resolve();
  };
}

const inCallback = (note, start) =>
  new Promise((resolve) => {
    if (!attempt(note, () => start(called(note, resolve)))) resolve();
  });

const exec = (cp, note) => inCallback(note, (done) => cp.exec('echo hi; exit 3', done));

// As many dots as ten thousands of bytes.
const dots = (length) => '.'.repeat(Math.floor(length / 10_000));

const long = (cp, note) =>
  inCallback(note, (done) => {
    const abridged = (error, stdout) => done(error, dots(stdout.length));
    return cp.execFile('head', ['-c', '600000', '/dev/zero'], { maxBuffer: 1e6 }, abridged);
  });

const timeout = (cp, note) => inCallback(note, (done) => cp.execFile('sleep', ['2'], { timeout: 100 }, done));

// Where the signal does not reach the child, kill() says so, and this sends it.
async function kill(cp, note) {
  const child = attempt(note, () => cp.spawn('sleep', ['2'], { stdio: 'ignore' }));
  if (!child) return;
  child.on('error', (error) => noteError(note, error));
  const over = follow(note, child);
  if (child.pid && !attempt(note, () => child.kill())) {
    note('error', 'ESRCH', 'kill', 'kill() returned false');
    process.kill(child.pid);
  }
  await over;
}

async function sync(cp, note) {
  const result = attempt(note, () => cp.spawnSync('sh', ['-c', 'cat; exit 3'], { input: 'input', encoding: 'utf8' }));
  if (!result) return;
  if (result.error) noteError(note, result.error);
  else note('exit', result.status, result.signal);
  note('stdout', result.stdout ?? '');
}

async function syncTimeout(cp, note) {
  const result = attempt(note, () => cp.spawnSync('sleep', ['2'], { timeout: 100 }));
  if (!result) return;
  note('exit', result.status, result.signal);
  if (result.error) noteError(note, result.error);
}

async function promise(cp, note, { promises }) {
  for (const command of ['cat', 'cat; exit 3']) {
    try {
      const { stdout } = await promises.execFile('sh', ['-c', command], { input: 'input' });
      note('stdout', stdout);
    } catch (error) {
      if (error.cause) noteError(note, error.cause);
      else note('exit', error.exitCode, error.signal);
      note('stdout', error.stdout ?? '');
    }
  }
}

/** A child that answers: `talk` sends, and gets each message that comes, until it says that this was the last. */
async function forked(cp, note, { serialization, peerEnv, env, talk }) {
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'];
  const variables = { ...process.env, ...peerEnv(), ...env };
  const child = attempt(note, () => cp.fork(PEER, [], { serialization, stdio, env: variables }));
  if (!child) return;
  // A child whose parent has disconnected, or that was never started, need not close: neither does the builtin's.
  const notStarted = new Promise((resolve) => {
    child.on('error', ({ syscall }) => {
      if (syscall?.startsWith('spawn')) resolve();
    });
  });
  const ends = [
    Promise.race([happens(child, 'exit'), notStarted]),
    child.connected && happens(child, 'disconnect'),
    child.stderr && happens(child.stderr, 'close'),
  ];
  const over = follow(note, child, Promise.race([happens(child, 'close'), Promise.all(ends.filter(Boolean))]));
  const fail = (error) => {
    noteError(note, error);
    if (child.connected) child.disconnect();
  };
  child.on('error', fail);
  child.on('disconnect', () => note('disconnect'));
  // Where the table of descriptors is full, there is no channel: with the builtin neither.
  const sent = (error) => {
    if (error) fail(error);
  };
  const send = (message, handle) => attempt(note, () => child.send?.(message, handle, sent));
  const received = talk(send);
  child.on('message', (message, handle) => {
    if (received(message, handle)) send('bye');
  });
  await over;
}

function summary(message) {
  if (Buffer.isBuffer(message) || typeof message === 'string') return `${message.length} ${message.at(-1)}`;
  const text = JSON.stringify(message);
  return text.length < 100 ? text : `${text.length} bytes`;
}

const echoes = (messages) => (note) => (send) => {
  let count = 0;
  for (const message of messages) send(message);
  return (message) => {
    note('message', summary(message));
    return ++count === messages.length;
  };
};

const channel =
  (serialization, env, talk) =>
  (cp, note, { peerEnv }) => {
    const options = { serialization, peerEnv, env, talk: talk(note) };
    return forked(cp, note, options);
  };

const TEXTS = [{ a: 1 }, { big: 'x'.repeat(1 << 20) }, 'text', 7];
const VALUES = [{ a: 1 }, Buffer.alloc(1 << 20, 'x'), { date: new Date(0) }, Buffer.alloc(1 << 20, 'y'), 'text'];

// A peer with the builtin's end writes many small messages one by one.
const flood = (note) => (send) => {
  let count = 0;
  send('flood');
  return (message) => {
    if (message !== count) note('message', 'out of order', message, count);
    count += 1;
    if (count < 2000) return false;
    note('message', `${count} in order`);
    return true;
  };
};

// A server, a connection and a datagram socket go out, a server comes in.
const handles =
  (serialization, env) =>
  async (cp, note, { peerEnv }) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    let text = '';
    await happens(server, 'listening');
    const client = net.connect(server.address().port);
    const connection = await happens(server, 'connection');
    client.setEncoding('utf8').on('data', (data) => {
      text += data;
    });
    const closed = happens(client, 'close');
    for (const stream of [client, connection]) stream.on('error', () => {});
    const talk = (send) => {
      let count = 0;
      send('server', server);
      send('connection', connection);
      send('socket', socket);
      send('give');
      return (message, handle) => {
        note('message', message, handle?.constructor.name ?? '');
        handle?.close();
        return ++count === 4;
      };
    };
    await forked(cp, note, { serialization, peerEnv, env, talk });
    connection.destroy();
    await closed;
    note('client', text);
    server.close();
    attempt(
      () => {},
      () => socket.close(),
    );
  };

const BUILTIN = { CHILD_PROCESS_RS_CHANNEL: 'builtin' };

/** Each operation, and the events of a run in which nothing fails. */
const ended = (code, signal, stdout, stderr = '') => [
  ['exit', code, signal],
  ['stdout', stdout],
  ['stderr', stderr],
];
const answered = (messages) => [
  ['spawn'],
  ...messages.map((each) => ['message', ...[each].flat()]),
  ['disconnect'],
  ...ended(0, null, ''),
];
const answeredHandles = [
  ...answered([
    ['a server', ''],
    ['a connection', ''],
    ['a datagram socket', ''],
    ['yours', 'Server'],
  ]),
  ['client', 'hello from the peer'],
];
const answeredTexts = answered(['{"a":1}', '1048586 bytes', '4 t', '7']);
const answeredValues = answered([
  '{"a":1}',
  '1048576 120',
  '{"date":"1970-01-01T00:00:00.000Z"}',
  '1048576 121',
  '4 t',
]);

const OPERATIONS = {
  spawn: { run: spawn, events: [['spawn'], ...ended(3, null, 'input', 'problem\n')] },
  options: { run: options, events: [['spawn'], ...ended(3, null, "/\nword\n'use strict';\n")] },
  user: { run: user, events: [['spawn'], ...ended(3, null, `input${NOBODY}\n${NOBODY}\n`)], needsRoot: true },
  kill: { run: kill, events: [['spawn'], ...ended(null, 'SIGTERM', '')] },
  exec: {
    run: exec,
    events: [
      ['exit', 3, null],
      ['stdout', 'hi\n'],
    ],
  },
  long: {
    run: long,
    events: [
      ['exit', 0, null],
      ['stdout', dots(600_000)],
    ],
  },
  timeout: {
    run: timeout,
    events: [
      ['exit', null, 'SIGTERM'],
      ['stdout', ''],
    ],
  },
  spawnSync: {
    run: sync,
    events: [
      ['exit', 3, null],
      ['stdout', 'input'],
    ],
  },
  syncTimeout: {
    run: syncTimeout,
    events: [
      ['exit', null, 'SIGTERM'],
      ['error', 'ETIMEDOUT', 'spawnSync sleep', 'spawnSync sleep ETIMEDOUT'],
    ],
  },
  promise: {
    run: promise,
    events: [
      ['stdout', 'input'],
      ['exit', 3, null],
      ['stdout', 'input'],
    ],
  },
  json: { run: channel('json', {}, echoes(TEXTS)), events: answeredTexts, forks: true },
  advanced: { run: channel('advanced', {}, echoes(VALUES)), events: answeredValues, forks: true },
  'json-builtin': { run: channel('json', BUILTIN, echoes(TEXTS)), events: answeredTexts, forks: true },
  flood: { run: channel('json', BUILTIN, flood), events: answered(['2000 in order']), forks: true },
  handles: { run: handles('json', {}), events: answeredHandles, forks: true },
  'handles-advanced': { run: handles('advanced', {}), events: answeredHandles, forks: true },
  'handles-builtin': { run: handles('json', BUILTIN), events: answeredHandles, forks: true },
};

module.exports = { OPERATIONS };
