'use strict';

// Streams that are first touched when the child has ended, or was never there: they are streams of a process that has
// ended.

const { inspect } = require('node:util');

const EMPTY = '/dev/null';

/** By name: starts a child of this kind; `callback` is for those that take one. */
const kinds = (cp) => ({
  spawn: () => cp.spawn('true'),
  'spawn with more pipes': () => cp.spawn('true', { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] }),
  'spawn ENOENT': () => cp.spawn('./no-such-program'),
  killed: () => {
    const child = cp.spawn('sleep', ['60']);
    child.kill('SIGKILL');
    return child;
  },
  exec: (callback) => cp.exec('exit 3', callback),
  execFile: (callback) => cp.execFile('true', callback),
  'execFile ENOENT': (callback) => cp.execFile('./no-such-program', callback),
  'execFile timeout': (callback) => cp.execFile('sleep', ['60'], { timeout: 20 }, callback),
  fork: () => cp.fork(EMPTY, { silent: true }),
  'fork ENOENT': () => cp.fork(EMPTY, { silent: true, execPath: './no-such-program' }),
});

/** A proxy of `object` that also gives proxies of its arrays. */
function deep(object) {
  return new Proxy(object, {
    get(target, key, receiver) {
      const value = Reflect.get(target, key, receiver);
      return Array.isArray(value) ? deep(value) : value;
    },
  });
}

function stateOf(stream) {
  const { destroyed, readable, writable, writableEnded, writableFinished, readableEnded, errored } = stream;
  return { destroyed, readable, writable, writableEnded, writableFinished, readableEnded, errored };
}

/** Calls `touch` with each kind of child in each of `moments`; gives what it made of it, once the child has closed. */
async function atEach(cp, moments, touch) {
  const found = {};
  for (const [kind, start] of Object.entries(kinds(cp))) {
    for (const moment of moments) {
      const seen = [];
      await new Promise((resolve) => {
        const child = start(() => moment === 'callback' && touch(child, seen));
        child.on('error', () => {});
        if (moment !== 'callback') child.on(moment, () => touch(child, seen));
        child.on('close', resolve);
      });
      // What is still to be told of a stream.
      await new Promise((resolve) => setTimeout(resolve, 20));
      found[`${kind}: ${moment}`] = seen;
    }
  }
  return found;
}

function writeTo(child, seen) {
  seen.push(stateOf(child.stdin));
  child.stdin.on('error', (error) => seen.push(['error', error.code]));
  seen.push(child.stdin.write('x', (error) => seen.push(['written', error?.code])));
}

module.exports = {
  'stdin, written to': (cp) => atEach(cp, ['exit', 'error', 'close', 'callback'], writeTo),

  'stdin a tick later': (cp) => atEach(cp, ['exit', 'error'], (child, seen) => process.nextTick(writeTo, child, seen)),

  'stdin a turn later': (cp) => atEach(cp, ['exit', 'error'], (child, seen) => setImmediate(writeTo, child, seen)),

  'the child inspected': (cp) =>
    atEach(cp, ['exit', 'error', 'close', 'callback'], (child, seen) => {
      inspect(child);
      seen.push(stateOf(child.stdin));
    }),

  'every stream touched in exit and in error': (cp) =>
    atEach(cp, ['exit', 'error'], (child, seen) => {
      seen.push(child.stdio.length);
    }),

  'outputs when all is over': (cp) =>
    atEach(cp, ['close'], (child, seen) => {
      for (const stream of child.stdio.slice(1)) seen.push(stream && stateOf(stream));
    }),

  'outputs in the callback of a command that was given up': async (cp) => {
    const wanted = ['execFile ENOENT', 'execFile timeout'];
    const found = await atEach(cp, ['callback'], (child, seen) =>
      seen.push(stateOf(child.stdout), stateOf(child.stderr)),
    );
    return wanted.map((kind) => found[`${kind}: callback`]);
  },

  'through a proxy of the child, and an object that inherits from it': async (cp, t) => {
    const child = cp.spawn('cat');
    const closed = t.record(child, { streams: false });
    const proxy = new Proxy(child, {});
    const heir = Object.create(child);
    const same = [proxy.stdin === child.stdin, heir.stdout === child.stdout, Object.keys(heir)];
    child.stdin.end();
    return { same, closed: await closed };
  },

  'through a proxy that gives proxies, and an object with arguments of its own': async (cp, t) => {
    const child = cp.spawn('cat');
    const closed = t.record(child, { streams: false });
    const heir = Object.create(child, { spawnargs: { value: ['own'] } });
    const same = [deep(child).stdin === child.stdin, heir.stdout === child.stdout];
    child.stdin.end();
    return { same, closed: await closed };
  },

  'through a proxy that gives proxies, when all is over': async (cp, t) => {
    const child = cp.spawn('echo', ['x']);
    const proxy = deep(child);
    const closed = await t.record(child, { streams: false });
    const streams = [proxy.stdin, proxy.stdout, proxy.stdio[2]];
    return { closed, states: streams.map(stateOf), same: streams.map((stream, i) => stream === child.stdio[i]) };
  },

  'the arguments are gone when the child ends': async (cp, t) => {
    const child = cp.spawn('echo', ['x']);
    child.spawnargs = null;
    return { closed: await t.record(child), states: child.stdio.map(stateOf) };
  },

  'two children with the same array of arguments': async (cp, t) => {
    const args = ['echo', 'x'];
    const children = [new cp.ChildProcess(), new cp.ChildProcess()];
    const closed = children.map((child) => t.record(child));
    const statuses = children.map((child) => child.spawn({ file: 'echo', args, stdio: 'pipe' }));
    const isShared = children.map((child) => child.spawnargs === args);
    return { statuses, isShared, closed: await Promise.all(closed) };
  },

  'arguments that change while they are read': async (cp, t) => {
    const args = ['a'];
    const options = {
      get cwd() {
        args.push('b');
        return undefined;
      },
    };
    const child = cp.spawn('echo', args, options);
    return { spawnargs: child.spawnargs, closed: await t.record(child) };
  },
};
