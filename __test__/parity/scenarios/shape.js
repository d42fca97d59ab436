'use strict';

// What a program finds when it looks at a child and its streams rather than uses them. The module: shape-module.js.

const { EventEmitter, once } = require('node:events');
const net = require('node:net');
const { Readable, Writable, Duplex } = require('node:stream');
const { inspect } = require('node:util');

// Whether a property is an accessor is ours to choose (streams are made when first touched), so this asks for less.
function visible(object) {
  return {
    keys: Object.keys(object),
    forIn: keysOfForIn(object),
    kinds: Object.keys(object).map((key) => `${key}: ${typeof object[key]}`),
  };
}

function keysOfForIn(object) {
  const keys = [];
  for (const key in object) keys.push(key);
  return keys;
}

function streamFlags(stream) {
  if (!stream) return stream;
  return {
    class: stream.constructor === net.Socket,
    instance: [net.Socket, Readable, Writable, Duplex, EventEmitter].map((type) => stream instanceof type),
    flags: {
      readable: stream.readable,
      writable: stream.writable,
      allowHalfOpen: stream.allowHalfOpen,
      destroyed: stream.destroyed,
      readableFlowing: stream.readableFlowing,
      readableEnded: stream.readableEnded,
      writableEnded: stream.writableEnded,
      readableLength: stream.readableLength,
      writableLength: stream.writableLength,
      readableObjectMode: stream.readableObjectMode,
      readableHighWaterMark: stream.readableHighWaterMark,
      writableHighWaterMark: stream.writableHighWaterMark,
      readableEncoding: stream.readableEncoding,
      connecting: stream.connecting,
      pending: stream.pending,
      readyState: stream.readyState,
      bytesRead: stream.bytesRead,
      bytesWritten: stream.bytesWritten,
      timeout: stream.timeout,
      remoteAddress: stream.remoteAddress,
      localAddress: stream.localAddress,
      address: stream.address?.(),
      isPaused: stream.isPaused(),
      handle: stream._handle?.constructor.name,
      autoSelectFamilyAttemptedAddresses: stream.autoSelectFamilyAttemptedAddresses,
      errored: stream.errored,
      closed: stream.closed,
    },
    listeners: Object.fromEntries(stream.eventNames().map((name) => [String(name), stream.listenerCount(name)])),
  };
}

// Numbers of descriptors and async ids differ from run to run, internals are another's business.
function inspected(value, options) {
  return (
    inspect(value, { depth: 0, ...options })
      .replace(/pid: \d+/g, 'pid: <pid>')
      .replace(/\[Symbol\([^)]*\)\]: [^\n]*\n?/g, '')
      .replace(/_handle: [^\n]*/g, '_handle: <handle>')
      // How many streams close waits for depends on how many were touched.
      .replace(/_closesNeeded: \d+/g, '_closesNeeded: <number>')
  );
}

async function child(cp, t, spawn, look) {
  const one = spawn();
  const recorded = t.record(one, { streams: false });
  const looked = look(one);
  one.kill('SIGKILL');
  await recorded;
  return looked;
}

module.exports = {
  'a new ChildProcess that spawned nothing': (cp, t) => {
    const one = new cp.ChildProcess();
    return {
      visible: visible(one),
      values: [
        'pid',
        'stdin',
        'stdout',
        'stderr',
        'stdio',
        'spawnfile',
        'spawnargs',
        'connected',
        'exitCode',
        'signalCode',
        'killed',
        'channel',
        '_closesNeeded',
        '_closesGot',
      ].map((key) => [key, t.describe(one[key])]),
      instance: one instanceof EventEmitter,
      kill: t.attempt(() => one.kill()),
      killed: one.killed,
      ref: t.attempt(() => one.ref()),
      unref: t.attempt(() => one.unref()),
      inspected: inspected(one),
    };
  },

  'a child is an instance of ChildProcess': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10']),
      (one) => ({
        instance: one instanceof cp.ChildProcess,
        direct: Object.getPrototypeOf(one) === cp.ChildProcess.prototype,
        constructor: one.constructor === cp.ChildProcess,
        string: String(one),
      }),
    ),

  'the keys of a child with pipes': (cp, t) => child(cp, t, () => cp.spawn('sleep', ['10']), visible),

  'the keys of a child without pipes': (cp, t) =>
    child(cp, t, () => cp.spawn('sleep', ['10'], { stdio: 'ignore' }), visible),

  'the keys of a child with ipc': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }),
      (one) => Object.keys(one),
    ),

  'the keys of a child that never was': async (cp, t) => {
    const one = cp.spawn('no-such-program');
    const before = visible(one);
    await t.record(one);
    return { before, after: visible(one) };
  },

  'own properties: hasOwn, in, delete': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10']),
      (one) => {
        // prettier-ignore
        const names = [
          'pid', 'stdin', 'stdout', 'stderr', 'stdio', 'spawnfile', 'spawnargs', 'connected', 'exitCode',
          'signalCode', 'killed', 'kill', 'send', 'disconnect', 'channel',
        ];
        return {
          own: names.filter((name) => Object.hasOwn(one, name)),
          in: names.filter((name) => name in one),
          deleted: names.slice(1, 5).map((name) => [delete one[name], one[name]]),
        };
      },
    ),

  'a copy of a child': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10']),
      (one) => {
        const copy = { ...one };
        const assigned = Object.assign({}, one);
        return {
          keys: Object.keys(copy),
          same: copy.stdout === one.stdout,
          assigned: assigned.stdin === one.stdin && assigned.pid === one.pid,
        };
      },
    ),

  'every property may be written to': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10']),
      (one) => {
        const written = {};
        for (const key of [
          'pid',
          'stdin',
          'stdout',
          'stderr',
          'stdio',
          'spawnfile',
          'spawnargs',
          'exitCode',
          'signalCode',
          'killed',
          'connected',
        ]) {
          const kept = one[key];
          written[key] = t.attempt(() => {
            'use strict';
            one[key] = 'mine';
            return one[key];
          });
          one[key] = kept;
        }
        return written;
      },
    ),

  'streams may be replaced, and stay what they were set to': async (cp, t) => {
    const one = cp.spawn('sh', ['-c', 'echo out; echo err >&2']);
    const { stdout } = one;
    one.stdout = 'mine';
    one.stderr = null;
    const now = {
      stdout: one.stdout,
      stderr: one.stderr,
      stdio: [one.stdio[1] === stdout, one.stdio[2]?.constructor.name],
      keys: Object.keys(one),
    };
    return { now, recorded: await t.record(one), after: [one.stdout, one.stderr] };
  },

  'streams replaced before they were touched': async (cp, t) => {
    const one = cp.spawn('sh', ['-c', 'echo out; echo err >&2']);
    one.stdout = one.stderr = null;
    const now = [one.stdout, one.stderr, one.stdio.map((stream) => stream?.constructor.name)];
    return { now, recorded: await t.record(one) };
  },

  'stdio replaced': async (cp, t) => {
    const one = cp.spawn('sh', ['-c', 'echo out']);
    one.stdio = ['mine'];
    const { stdout } = one;
    let text = '';
    stdout.on('data', (data) => {
      text += data;
    });
    const recorded = await t.record(one, { streams: false });
    return { text, recorded, stdio: one.stdio };
  },

  'a stream is the same whenever it is asked for': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10']),
      (one) => [
        one.stdin === one.stdin,
        one.stdout === one.stdio[1],
        one.stderr === one.stdio[2],
        one.stdio === one.stdio,
        one.stdio.length,
        Array.isArray(one.stdio),
      ],
    ),

  'stdio as an array': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10'], { stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'ignore'] }),
      (one) => {
        const destructured = [...one.stdio];
        return {
          keys: Object.keys(one.stdio),
          kinds: destructured.map((stream) => stream?.constructor.name ?? stream),
          json: one.stdio.map((x) => x === null),
          proto: Object.getPrototypeOf(one.stdio) === Array.prototype,
        };
      },
    ),

  'the streams of a living child': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }),
      (one) => one.stdio.map(streamFlags),
    ),

  'the streams after the end': async (cp, t) => {
    const one = cp.spawn('echo', ['hello']);
    await t.record(one);
    return one.stdio.map(streamFlags);
  },

  'the streams of a child that ended, first touched then': async (cp, t) => {
    const one = cp.spawn('sh', ['-c', 'true']);
    await t.record(one, { streams: false });
    return one.stdio.map((stream) => ({
      class: stream.constructor.name,
      destroyed: stream.destroyed,
      readable: stream.readable,
      writable: stream.writable,
      ended: stream.readableEnded,
    }));
  },

  'the streams of a child that never was': async (cp, t) => {
    const one = cp.spawn('no-such-program');
    const before = one.stdio.map(streamFlags);
    await t.record(one);
    return {
      before,
      after: one.stdio.map((stream) => ({
        destroyed: stream.destroyed,
        readable: stream.readable,
        writable: stream.writable,
      })),
    };
  },

  'util.inspect of a child': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10'], { stdio: 'ignore' }),
      (one) => inspected(one),
    ),

  'util.inspect of a child with pipes': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10']),
      (one) => inspected(one),
    ),

  'util.inspect of a child that ended': async (cp, t) => {
    const one = cp.spawn('sh', ['-c', 'exit 3'], { stdio: 'ignore' });
    await t.record(one);
    return inspected(one);
  },

  'JSON of a child without pipes': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10'], { stdio: 'ignore' }),
      (one) => {
        const { pid, _handle, ...rest } = JSON.parse(JSON.stringify(one));
        return { pid: typeof pid, handle: typeof _handle, rest };
      },
    ),

  'values right after spawn, and at the end': async (cp, t) => {
    const one = cp.spawn('sh', ['-c', 'exit 3'], { argv0: 'name' });
    const values = () => ({
      spawnfile: one.spawnfile,
      spawnargs: one.spawnargs,
      exitCode: one.exitCode,
      signalCode: one.signalCode,
      killed: one.killed,
      connected: one.connected,
      pid: typeof one.pid,
      send: typeof one.send,
      channel: typeof one.channel,
    });
    const before = values();
    await t.record(one);
    return { before, after: values() };
  },

  'listeners that a child comes with': (cp, t) =>
    child(
      cp,
      t,
      () => cp.spawn('sleep', ['10']),
      (one) => Object.fromEntries(one.eventNames().map((name) => [String(name), one.listenerCount(name)])),
    ),

  'events.once on a child': async (cp, t) => {
    const good = cp.spawn('sh', ['-c', 'exit 4'], { stdio: 'ignore' });
    const bad = cp.spawn('no-such-program', { stdio: 'ignore' });
    const [exited, failed] = await Promise.allSettled([once(good, 'exit'), once(bad, 'exit')]);
    return { exited, failed: t.describe(failed.reason) };
  },
};
