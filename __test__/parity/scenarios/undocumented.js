'use strict';

// What is not in the documentation but is built upon: ChildProcess.prototype.spawn(options), patched by tracers, called
// directly by others; and the diagnostics channels.

const dc = require('node:diagnostics_channel');
const fs = require('node:fs');
const net = require('node:net');

const values = require('../values');

function optionsOf(options) {
  const { envPairs, ...rest } = options;
  return {
    keys: Object.keys(options).sort(),
    rest,
    envPairs: envPairs?.slice(),
    prototype: Object.getPrototypeOf(options) === null,
  };
}

async function withPatchedSpawn(cp, patch, run) {
  const original = cp.ChildProcess.prototype.spawn;
  cp.ChildProcess.prototype.spawn = patch(original);
  try {
    return await run();
  } finally {
    cp.ChildProcess.prototype.spawn = original;
  }
}

function direct(cp, t, options) {
  const child = new cp.ChildProcess();
  let returned;
  return t
    .outcome(() => {
      returned = child.spawn(options);
      return child;
    })
    .then((recorded) => ({ returned, recorded, spawnfile: child.spawnfile, spawnargs: child.spawnargs }));
}

async function listening(channels, run) {
  const heard = [];
  const subscriptions = channels.map((name) => {
    const onMessage = (message) => heard.push([name, message]);
    dc.subscribe(name, onMessage);
    return () => dc.unsubscribe(name, onMessage);
  });
  try {
    const result = await run();
    return { result, heard };
  } finally {
    subscriptions.forEach((unsubscribe) => unsubscribe());
  }
}

const TRACING = ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map(
  (name) => `tracing:child_process.spawn:${name}`,
);

function describeHeard(cp, t, heard) {
  return heard.map(([name, message]) => ({
    name,
    keys: Object.keys(message),
    process: message.process instanceof cp.ChildProcess,
    pid: typeof message.process?.pid,
    options: message.options && optionsOf(message.options),
    error: t.describe(message.error),
  }));
}

// Ours have no handles of their own pipes, and the builtin's get their streams later. Our forks have other variables.
const OF_CHANNEL = /^(NODE_CHANNEL_|CHILD_PROCESS_RS_|NODE_OPTIONS=)/;

function describeEntry({ handle, socket, _stdio: stdio, fd, ...rest }, known) {
  const wrapped = rest.type === 'wrap' && { handle: handle.constructor.name, stdio: stdio.constructor.name };
  return { ...rest, fd: fd === known ? 'the open file' : fd, ...wrapped };
}

/** What is published while each of `calls` starts a child, in order. */
async function published(t, calls, known) {
  const seen = {};
  for (const [label, call] of Object.entries(calls)) {
    seen[label] = await listening(['child_process', ...TRACING], async () => {
      let child;
      const { thrown } = t.attempt(() => {
        child = call();
      });
      if (child) await t.record(child, { streams: false });
      return thrown;
    });
    seen[label].heard = seen[label].heard.map(([name, { process: child, options, error, ...others }]) => {
      if (!options) return [name, child.spawnfile, t.describe(error), others];
      const { stdio, envPairs, ...rest } = options;
      const isChannel = (pair) => OF_CHANNEL.test(pair);
      const environment = rest.nativeChannel === false ? envPairs : envPairs.filter((pair) => !isChannel(pair));
      const keys = Object.keys(options).sort();
      return [
        name,
        child.spawnfile,
        keys,
        t.describe(rest),
        environment,
        stdio.map((entry) => describeEntry(entry, known)),
        others,
      ];
    });
  }
  return seen;
}

module.exports = {
  'a patched ChildProcess.prototype.spawn sees the normalised options': async (cp, t) => {
    const seen = [];
    const patch = (original) =>
      function (options) {
        seen.push([this instanceof cp.ChildProcess, arguments.length, t.describe(optionsOf(options))]);
        return original.call(this, options);
      };
    const recorded = await withPatchedSpawn(cp, patch, async () => ({
      plain: await t.outcome(() => cp.spawn('echo', ['a', 'b'], { env: { A: '1', PATH: '/bin' } })),
      shell: await t.outcome(() => cp.spawn('echo hi', { shell: true, cwd: '/usr', env: {}, argv0: 'zero' })),
      all: await t.outcome(() =>
        cp.spawn('echo', ['x'], {
          detached: false,
          windowsHide: true,
          uid: 0,
          gid: 0,
          env: { B: '2' },
          custom: 'kept',
          stdio: 'ignore',
          timeout: 5000,
          cwd: new URL('file:///usr'),
        }),
      ),
      bare: await t.outcome(() => cp.spawn('true')),
    }));
    return { seen, recorded };
  },

  'a patched spawn may change what is started': async (cp, t) => {
    const patch = (original) =>
      function (options) {
        options.file = '/bin/echo';
        options.args = ['echo', 'replaced'];
        options.envPairs = ['ONLY=this'];
        options.stdio = ['ignore', 'pipe', 'ignore'];
        return original.call(this, options);
      };
    return withPatchedSpawn(cp, patch, async () => {
      const child = cp.spawn('no-such-program', ['x']);
      return {
        spawnfile: child.spawnfile,
        spawnargs: child.spawnargs,
        stdin: child.stdin,
        recorded: await t.record(child),
      };
    });
  },

  'a patched spawn may change the environment': async (cp, t) => {
    const patch = (original) =>
      function (options) {
        options.envPairs.push('ADDED=by the patch');
        return original.call(this, options);
      };
    return withPatchedSpawn(cp, patch, () =>
      t.outcome(() => cp.spawn('/bin/cat', ['/proc/self/environ'], { env: { A: '1' } })),
    );
  },

  'a patched spawn that throws': (cp, t) =>
    withPatchedSpawn(
      cp,
      () => () => {
        throw new EvalError('patched');
      },
      () => t.outcome(() => cp.spawn('true')),
    ),

  'spawn called directly': async (cp, t) => ({
    full: await direct(cp, t, {
      file: '/bin/echo',
      args: ['echo', 'hello', 'there'],
      envPairs: ['A=1'],
      stdio: 'pipe',
    }),
    noArgs: await direct(cp, t, { file: '/bin/cat', stdio: ['ignore', 'pipe', 'pipe'] }),
    argv0: await direct(cp, t, { file: '/bin/cat', args: ['other', '/proc/self/cmdline'] }),
    environment: await direct(cp, t, {
      file: '/bin/cat',
      args: ['cat', '/proc/self/environ'],
      envPairs: ['A=1', 'A=2', 'no equals sign', '', '=x'],
    }),
    noEnvironment: await direct(cp, t, {
      file: '/bin/cat',
      args: ['cat', '/proc/self/environ'],
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
    emptyEnvironment: await direct(cp, t, { file: '/bin/cat', args: ['cat', '/proc/self/environ'], envPairs: [] }),
    cwd: await direct(cp, t, { file: '/bin/pwd', args: ['pwd'], cwd: '/usr' }),
    lookup: await direct(cp, t, { file: 'pwd', args: ['pwd'] }),
    missing: await direct(cp, t, { file: 'no-such-program', args: ['a', 'b', 'c'] }),
    missingWithoutArgs: await direct(cp, t, { file: 'no-such-program' }),
    unlistedOptions: await direct(cp, t, {
      file: '/bin/true',
      args: ['true'],
      shell: true,
      argv0: 'x',
      timeout: 'x',
      killSignal: 'x',
    }),
    detached: await direct(cp, t, { file: '/bin/true', args: ['true'], detached: 'truthy', windowsHide: 1 }),
  }),

  'spawn called directly validates': async (cp, t) => {
    const attempts = {};
    const attempt = (options) => t.attempt(() => new cp.ChildProcess().spawn(options));
    // The builtin writes into the options: each attempt has values of its own.
    for (const [label, value] of values()) attempts[`options ${label}`] = attempt(value);
    for (const [label, value] of values()) {
      if (typeof value !== 'string') attempts[`file ${label}`] = attempt({ file: value });
      if (value !== undefined && !Array.isArray(value))
        attempts[`args ${label}`] = attempt({ file: '/bin/true', args: value });
      if (value !== undefined)
        attempts[`serialization ${label}`] = attempt({ file: '/bin/true', serialization: value, stdio: 'nonsense' });
    }
    for (const [label, envPairs] of [
      ['an object', {}],
      ['null', null],
      ['a string', 'A=1'],
    ]) {
      attempts[`envPairs ${label}`] = attempt({
        file: '/bin/true',
        envPairs,
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
    }
    attempts.inherited = attempt(Object.create({ file: 1 }));
    return attempts;
  },

  'spawn called on what is no child': (cp, t) =>
    t.attempt(() => cp.ChildProcess.prototype.spawn.call({}, { file: '/bin/true', stdio: 'ignore' })).thrown !==
    undefined,

  'the channel child_process: every child, before it is started': async (cp, t) => {
    const { result, heard } = await listening(['child_process'], async () => {
      const child = cp.spawn('true', { stdio: 'ignore' });
      const recorded = await t.record(child);
      const failed = await t.outcome(() => cp.spawn('no-such-program', { stdio: 'ignore' }));
      const refused = t.attempt(() => cp.spawn('true', { uid: 'x' }));
      return { child, recorded, failed, refused, bare: new cp.ChildProcess() };
    });
    const { child, bare, ...rest } = result;
    return {
      rest,
      heard: describeHeard(cp, t, heard),
      same: heard[0]?.[1].process === child,
      last: heard.at(-1)?.[1].process === bare,
    };
  },

  'the channel child_process: what a subscriber finds': async (cp, t) => {
    const found = [];
    const onMessage = ({ process: child }) => found.push([Object.keys(child), child.spawnfile, child.pid]);
    dc.subscribe('child_process', onMessage);
    try {
      await t.outcome(() => cp.spawn('true', { stdio: 'ignore' }));
    } finally {
      dc.unsubscribe('child_process', onMessage);
    }
    return found;
  },

  'the channel tracing:child_process.spawn, where this Node has it': async (cp, t) => {
    const { result, heard } = await listening(TRACING, async () => ({
      good: await t.outcome(() => cp.spawn('true', ['x'], { stdio: 'ignore', env: { PATH: '/bin:/usr/bin' } })),
      missing: await t.outcome(() => cp.spawn('no-such-program', { stdio: 'ignore', env: {} })),
      thrown: await t.outcome(() => cp.spawn('true', { stdio: 'ignore', uid: -1, env: { PATH: '/bin:/usr/bin' } })),
      refused: t.attempt(() => cp.spawn('true', { uid: 'x' })),
      badStdio: t.attempt(() => cp.spawn('true', { stdio: 'x' })),
    }));
    return { result, heard: describeHeard(cp, t, heard) };
  },

  'the channels of the launch: what is published of each': async (cp, t) => {
    const env = { PATH: '/bin:/usr/bin' };
    const fd = fs.openSync('/dev/null', 'r+');
    const plain = t.file('plain', '', 0o644);
    const program = t.program(() => {});
    const server = net.createServer().listen(0);
    await new Promise((resolve) => server.once('listening', resolve));
    const socket = net.connect(server.address().port);
    const peer = await new Promise((resolve) => server.once('connection', resolve));
    const spawn = (stdio) => () => cp.spawn('true', { env, stdio });
    const seen = await published(
      t,
      {
        pipes: () => cp.spawn('true', ['x'], { env }),
        ignore: spawn('ignore'),
        inherit: spawn('inherit'),
        overlapped: spawn('overlapped'),
        short: spawn([]),
        list: spawn([
          'inherit',
          'ignore',
          'inherit',
          fd,
          { fd },
          process.stderr,
          null,
          undefined,
          'pipe',
          'overlapped',
        ]),
        sockets: spawn([socket, 'ignore', peer]),
        ipc: spawn(['ignore', 'pipe', 'inherit', 'ipc']),
        'ipc, advanced': () =>
          cp.spawn('true', { env, serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'ipc'] }),
        fork: () => cp.fork(program, ['x'], { env }),
        'fork, silent': () => cp.fork(program, [], { env, silent: true, serialization: 'advanced' }),
        'fork, list': () => cp.fork(program, [], { env, stdio: ['ignore', 'inherit', 'ignore', 'ipc'], cwd: '/' }),
        'fork, text': () => cp.fork(program, [], { env, stdio: 'inherit', nativeChannel: false }),
        exec: () => cp.exec('true', { env }),
        execFile: () => cp.execFile('true', ['x'], { env }),
        ENOENT: () => cp.spawn('no-such-program', { env }),
        EACCES: () => cp.spawn(plain, ['x'], { env }),
        EINVAL: () => cp.spawn('true', { env, uid: -1 }),
        refused: spawn('nonsense'),
      },
      fd,
    );
    fs.closeSync(fd);
    for (const one of [socket, peer, server])
      await new Promise((resolve) => one.once('close', resolve) && (one.destroy ?? one.close).call(one));
    return seen;
  },

  'a subscriber of a channel that throws': async (cp, t) => {
    const onMessage = () => {
      throw new EvalError('subscriber');
    };
    dc.subscribe('child_process', onMessage);
    try {
      return await t.outcome(() => cp.spawn('true', { stdio: 'ignore' }));
    } finally {
      dc.unsubscribe('child_process', onMessage);
    }
  },
};
