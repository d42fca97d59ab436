'use strict';

// options.stdio: every form, what the child finds behind each descriptor, and what the parent gets for it.

const fs = require('node:fs');
const net = require('node:net');
const { PassThrough } = require('node:stream');
const { once } = require('node:events');

// What the child sees: the kind of each descriptor (numbers of sockets differ from run to run) and its flags.
// Without $(…), whose pipe would be among what is listed.
const LOOK = `for fd in 0 1 2 3 4 5; do
  readlink /proc/$$/fd/$fd > target || continue
  sed -n s/flags:.//p /proc/$$/fdinfo/$fd > flags
  read target < target; read flags < flags
  echo "$fd \${target%%[*} $flags"
done > look`;

async function look(cp, t, stdio, options) {
  fs.rmSync('look', { force: true });
  const recorded = await t.outcome(() => cp.spawn('sh', ['-c', LOOK], { stdio, ...options }));
  return {
    recorded,
    seen: fs.existsSync('look') ? fs.readFileSync('look', 'latin1').replace(/\/dev\/pts\/\d+/g, '<tty>') : null,
  };
}

function shapes(child) {
  return {
    stdio: child.stdio.map((stream) => (stream === null ? null : stream.constructor.name)),
    stdin: child.stdin === null ? null : child.stdin === child.stdio[0],
    stdout: child.stdout === null ? null : child.stdout === child.stdio[1],
    stderr: child.stderr === null ? null : child.stderr === child.stdio[2],
  };
}

async function shape(cp, t, stdio) {
  let child;
  try {
    child = cp.spawn('true', { stdio });
  } catch (error) {
    return { thrown: t.describe(error) };
  }
  const shape = shapes(child);
  return { shape, recorded: await t.record(child) };
}

module.exports = {
  'the strings': async (cp, t) => ({
    pipe: await shape(cp, t, 'pipe'),
    overlapped: await shape(cp, t, 'overlapped'),
    ignore: await shape(cp, t, 'ignore'),
    nothing: await shape(cp, t, undefined),
    wrongCase: await shape(cp, t, 'PIPE'),
    ipc: await shape(cp, t, 'ipc'),
    unknown: await shape(cp, t, 'tty'),
    boxed: await shape(cp, t, new String('pipe')),
  }),

  'arrays: every word in every place': async (cp, t) => {
    const outcomes = {};
    for (const word of ['pipe', 'overlapped', 'ignore', null, undefined]) {
      for (const at of [0, 1, 2, 3, 5]) {
        const stdio = Array(6).fill('ignore');
        stdio[at] = word;
        outcomes[`${word} at ${at}`] = await shape(cp, t, stdio);
      }
    }
    return outcomes;
  },

  'short arrays are filled up': async (cp, t) => ({
    empty: await shape(cp, t, []),
    one: await shape(cp, t, ['ignore']),
    two: await shape(cp, t, ['ignore', 'pipe']),
    undefinedLater: await shape(cp, t, ['ignore', 'ignore', 'ignore', undefined, null, 'pipe']),
  }),

  'array entries that are refused': async (cp, t) => {
    const outcomes = {};
    const entries = require('../values')().filter(([, value]) => typeof value !== 'number' && value != null);
    for (const [label, value] of entries) outcomes[label] = await shape(cp, t, ['ignore', 'ignore', 'ignore', value]);
    return outcomes;
  },

  'array entries that throw leave nothing open': async (cp, t) => {
    const outcomes = [];
    for (let i = 0; i < 5; i++)
      outcomes.push(t.attempt(() => cp.spawn('true', { stdio: ['pipe', 'pipe', 'pipe', 'pipe', {}] })));
    return outcomes;
  },

  'two ipc entries are refused': (cp, t) => ({
    two: t.attempt(() => cp.spawn('true', { stdio: ['pipe', 'ipc', 'ipc'] })),
    apart: t.attempt(() => cp.spawn('true', { stdio: ['ipc', 'ignore', 'pipe', 'pipe', 'ipc'] })),
  }),

  'what the child finds: pipes and nothing': async (cp, t) => ({
    pipe: await look(cp, t, 'pipe'),
    ignore: await look(cp, t, 'ignore'),
    overlapped: await look(cp, t, 'overlapped'),
    mixed: await look(cp, t, ['ignore', 'pipe', 'ignore']),
    more: await look(cp, t, ['pipe', 'pipe', 'pipe', 'pipe', 'ignore', 'pipe']),
    gap: await look(cp, t, ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe']),
  }),

  'what the child inherits': (cp, t) =>
    t.inNewProcess(
      async (cp, t) => {
        const child = cp.spawn('sh', ['-c', 'cat; echo to stdout; echo to stderr >&2'], { stdio: 'inherit' });
        const parts = [child.stdin, child.stdout, child.stderr, child.stdio];
        return { parts, recorded: await t.record(child) };
      },
      { input: 'from stdin\n' },
    ),

  'inheriting in other places': (cp, t) =>
    t.inNewProcess(async (cp, t) => ({
      swapped: await t.outcome(() =>
        cp.spawn('sh', ['-c', 'echo to stdout; echo to stderr >&2'], { stdio: ['ignore', 2, 1] }),
      ),
      each: await t.outcome(() =>
        cp.spawn('sh', ['-c', 'echo out; echo err >&2'], { stdio: ['inherit', 'inherit', 'inherit'] }),
      ),
      both: await t.outcome(() => cp.spawn('sh', ['-c', 'echo out1; echo err1 >&2'], { stdio: ['ignore', 1, 1] })),
      streams: await t.outcome(() =>
        cp.spawn('sh', ['-c', 'echo s-out; echo s-err >&2'], {
          stdio: [process.stdin, process.stdout, process.stderr],
        }),
      ),
      higher: await t.outcome(() =>
        cp.spawn('sh', ['-c', 'echo high >&4'], { stdio: ['ignore', 'ignore', 'ignore', 'ignore', 1] }),
      ),
    })),

  'inherit at a descriptor that is not open': async (cp, t) => {
    const stdio = Array(60).fill('ignore');
    stdio[59] = 'inherit';
    return t.outcome(() => cp.spawn('true', { stdio }));
  },

  'numbers: descriptors of the parent': async (cp, t) => {
    const out = fs.openSync('out', 'w+');
    const input = fs.openSync(t.file('in', 'file input', 0o644), 'r');
    try {
      const recorded = await t.outcome(() => cp.spawn('cat', { stdio: [input, out, out] }));
      const high = await t.outcome(() =>
        cp.spawn('sh', ['-c', 'echo high >&7'], {
          stdio: ['ignore', 'ignore', 'ignore', null, undefined, 'ignore', 'ignore', out],
        }),
      );
      // The descriptor's number is also the place it is to go to.
      const same = Array(out + 1).fill('ignore');
      same[out] = out;
      const own = await t.outcome(() =>
        cp.spawn('sh', ['-c', `echo own >&${out < 10 ? out : `/proc/self/fd/${out}`}`], { stdio: same }),
      );
      return { recorded, high, own, text: fs.readFileSync('out', 'utf8'), stillOpen: fs.fstatSync(out).isFile() };
    } finally {
      fs.closeSync(out);
      fs.closeSync(input);
    }
  },

  'descriptors whose numbers cross': async (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      const fs = require('node:fs');
      const a = fs.openSync('a', 'w');
      const b = fs.openSync('b', 'w');
      const stdio = Array(Math.max(a, b) + 1).fill('ignore');
      stdio[1] = 'inherit';
      stdio[a] = b;
      stdio[b] = a;
      const recorded = await t.outcome(() => cp.spawn('bash', ['-c', `echo to-a >&${a}; echo to-b >&${b}`], { stdio }));
      const rotated = await t.outcome(() =>
        cp.spawn('sh', ['-c', 'echo 0 >&0; echo 1 >&1; echo 2 >&2'], { stdio: [1, 2, a] }),
      );
      return { recorded, rotated, a: fs.readFileSync('a', 'utf8'), b: fs.readFileSync('b', 'utf8') };
    }),

  'numbers that are no open descriptor': async (cp, t) => {
    const outcomes = {};
    // What is no 32-bit integer takes the builtin down from Node 22 on (an assertion in its C++).
    for (const fd of [999, 1e6, 2 ** 31 - 1, -1, -5, -Infinity]) {
      outcomes[fd] = await shape(cp, t, ['ignore', 'ignore', 'ignore', fd]);
    }
    return outcomes;
  },

  'a bad descriptor beside pipes leaves nothing open': async (cp, t) => ({
    last: await t.outcome(() => cp.spawn('true', { stdio: ['pipe', 'pipe', 'pipe', 999] })),
    first: await t.outcome(() => cp.spawn('true', { stdio: [999, 'pipe', 'pipe'] })),
  }),

  'objects with a descriptor': async (cp, t) => {
    const out = fs.openSync('out', 'w');
    try {
      const plain = await t.outcome(() => cp.spawn('echo', ['plain'], { stdio: ['ignore', { fd: out }, 'ignore'] }));
      const stream = fs.createWriteStream('stream', { flags: 'w' });
      await once(stream, 'open');
      const written = await t.outcome(() => cp.spawn('echo', ['stream'], { stdio: ['ignore', stream, stream] }));
      const afterwards = { destroyed: stream.destroyed, fd: typeof stream.fd };
      await new Promise((resolve) => stream.close(resolve));
      const unopened = fs.createWriteStream('later');
      const tooEarly = await t.outcome(() => cp.spawn('echo', { stdio: ['ignore', unopened, 'ignore'] }));
      await new Promise((resolve) => unopened.close(resolve));
      const handle = await fs.promises.open('handle', 'w');
      const byHandle = await t.outcome(() => cp.spawn('echo', ['handle'], { stdio: ['ignore', handle, 'ignore'] }));
      await handle.close();
      return {
        plain,
        written,
        afterwards,
        tooEarly,
        byHandle,
        texts: ['out', 'stream', 'handle'].map((name) => fs.readFileSync(name, 'utf8')),
        closedStream: await t.outcome(() => cp.spawn('true', { stdio: ['ignore', stream, 'ignore'] })),
        odd: await t.outcome(() => cp.spawn('true', { stdio: ['ignore', { fd: '1' }, 'ignore'] })),
        negative: await t.outcome(() => cp.spawn('true', { stdio: ['ignore', { fd: -1 }, 'ignore'] })),
        closed: await t.outcome(() => cp.spawn('true', { stdio: ['ignore', { fd: 999 }, 'ignore'] })),
        getter: await t.outcome(() =>
          cp.spawn('true', {
            stdio: [
              'ignore',
              {
                get fd() {
                  throw new RangeError('no fd');
                },
              },
              'ignore',
            ],
          }),
        ),
      };
    } finally {
      fs.closeSync(out);
    }
  },

  'a read stream as stdin': async (cp, t) => {
    const stream = fs.createReadStream(t.file('in', 'from a stream', 0o644));
    await once(stream, 'open');
    const recorded = await t.outcome(() => cp.spawn('cat', { stdio: [stream, 'pipe', 'pipe'] }));
    stream.destroy();
    await once(stream, 'close');
    return recorded;
  },

  'streams without a descriptor are refused': (cp, t) => ({
    passThrough: t.attempt(() => cp.spawn('true', { stdio: ['ignore', new PassThrough(), 'ignore'] })),
    unconnected: t.attempt(() => cp.spawn('true', { stdio: ['ignore', new net.Socket(), 'ignore'] })),
  }),

  'a TCP socket, and what becomes of the parent’s': async (cp, t) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect(server.address().port, '127.0.0.1');
    const [[socket]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
    let text = '';
    client.setEncoding('utf8').on('data', (data) => {
      text += data;
    });
    const recorded = await t.outcome(() =>
      cp.spawn('sh', ['-c', 'echo hello over tcp'], { stdio: ['ignore', socket, 'pipe'] }),
    );
    const state = { destroyed: socket.destroyed, paused: socket.isPaused(), flowing: socket.readableFlowing };
    socket.end('and the parent');
    await once(client, 'end');
    client.destroy();
    // It was paused for good when it was handed on, and will not notice the other end's leaving.
    socket.destroy();
    server.close();
    await once(server, 'close');
    return { recorded, state, text };
  },

  'a socket of another child': async (cp, t) => {
    const reader = cp.spawn('cat');
    const read = t.record(reader);
    const writer = cp.spawn('echo', ['through two children'], { stdio: ['ignore', reader.stdin, 'pipe'] });
    const stdin = { destroyed: reader.stdin.destroyed, flowing: reader.stdin.readableFlowing };
    const written = await t.record(writer);
    reader.stdin.end();
    return { stdin, written, read: await read };
  },

  'stdout of one child as stdin of another': async (cp, t) => {
    const writer = cp.spawn('sh', ['-c', 'sleep 0.1; echo handed over']);
    const reader = cp.spawn('cat', { stdio: [writer.stdout, 'pipe', 'pipe'] });
    writer.stdout.destroy();
    const [written, read] = await Promise.all([t.record(writer, { streams: false }), t.record(reader)]);
    return { written, read };
  },

  'more than three entries: data in both directions': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'cat <&3 >&4; echo done >&5'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    const kinds = child.stdio.map((stream) => stream && [stream.constructor.name, stream.readable, stream.writable]);
    child.stdio[3].end('through three and four');
    return { kinds, recorded: await t.record(child) };
  },

  'an extra pipe is duplex': async (cp, t) => {
    const child = cp.spawn('bash', ['-c', 'read line <&3; echo "got $line" >&3'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.stdio[3].write('a line\n');
    return t.record(child);
  },

  'many entries': async (cp, t) => {
    const stdio = Array(70).fill('pipe');
    const child = cp.spawn('bash', ['-c', 'for fd in 3 9 10 42 69; do eval "echo $fd >&$fd"; done'], { stdio });
    return { length: child.stdio.length, recorded: await t.record(child) };
  },

  'ipc: the environment, connected, a message each way, disconnect': async (cp, t) => {
    const source = `process.on('message', (message) => {
      process.send({ got: message, fd: typeof process.env.NODE_CHANNEL_FD })
      process.disconnect()
    })`;
    const child = cp.spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const before = {
      connected: child.connected,
      stdio: child.stdio.map((stream) => stream && stream.constructor.name),
      channel: typeof child.channel,
    };
    const recorded = t.record(child);
    child.send({ hello: ['wörld', 1, null] });
    return { before, recorded: await recorded, after: { connected: child.connected, channel: child.channel } };
  },

  'ipc: what the child finds in its environment': async (cp, t) => {
    const dump = (stdio, serialization) =>
      t.outcome(() => cp.spawn('/bin/sh', ['-c', 'cat /proc/$$/environ'], { stdio, serialization, env: { A: '1' } }));
    return {
      third: await dump(['ignore', 'pipe', 'ignore', 'ipc']),
      first: await dump(['ipc', 'pipe', 'ignore']),
      advanced: await dump(['ignore', 'pipe', 'ignore', 'ignore', 'ipc'], 'advanced'),
    };
  },

  'a descriptor that the parent opened does not reach the child': async (cp, t) => {
    const fd = fs.openSync('secret', 'w');
    try {
      return await t.outcome(() => cp.spawn('sh', ['-c', 'ls -l /proc/self/fd | grep -c secret']));
    } finally {
      fs.closeSync(fd);
    }
  },

  'a descriptor that the parent itself inherited, and whether it reaches the child': async (cp, t) =>
    t.inNewProcess(
      async (cp, t) => ({
        piped: await t.outcome(() => cp.spawn('/bin/sh', ['-c', 'readlink /proc/$$/fd/33 || echo closed'])),
        ignored: await t.outcome(() =>
          cp.spawn('/bin/sh', ['-c', 'test -e /proc/$$/fd/33; exit $?'], { stdio: 'ignore' }),
        ),
      }),
      { prefix: ['bash', '-c', 'exec 33</etc/passwd "$@"', 'bash'] },
    ),

  'stdio of the parent closed': (cp, t) =>
    t.inNewProcess(
      async (cp, t) => ({
        pipes: await t.outcome(() => cp.spawn('sh', ['-c', 'echo out; echo err >&2'])),
        ignored: await t.outcome(() => cp.spawn('true', { stdio: 'ignore' })),
        inherited: await t.outcome(() =>
          cp.spawn('sh', ['-c', 'for fd in 0 1 2; do readlink /proc/$$/fd/$fd >> seen; done'], { stdio: 'inherit' }),
        ),
        seen: require('node:fs').existsSync('seen') ? require('node:fs').readFileSync('seen', 'utf8') : null,
      }),
      { prefix: ['bash', '-c', 'exec "$@" 0<&- 1>&- 2>&-', 'bash'] },
    ),

  'a terminal: inherited, and its TTY stream handed on': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      const tty = require('node:tty');
      const fs = require('node:fs');
      const fd = fs.openSync('/dev/ptmx', 'r+');
      if (!tty.isatty(fd)) return 'no terminal to be had';
      const stream = new tty.WriteStream(fd);
      const recorded = await t.outcome(() =>
        cp.spawn('sh', ['-c', 'test -t 1; exit $?'], { stdio: ['ignore', stream, 'ignore'] }),
      );
      stream.destroy();
      return recorded;
    }),
};
