'use strict';

// Programs that are not Node and speak the protocol: they find the channel's descriptor in NODE_CHANNEL_FD and write a
// line of JSON for each message, or, in the advanced mode, a length and a value as V8 writes it.

const { paired } = require('../pairings');
const v8 = require('node:v8');

// What the child does with the descriptor, for bash, which can use any number.
const say = (...lines) =>
  lines.map((line) => `printf '%s\\n' '${line.replace(/'/g, `'\\''`)}' >&$NODE_CHANNEL_FD`).join('\n');

const inPieces = (formats) => formats.map((format) => `printf '${format}' >&$NODE_CHANNEL_FD`).join('; sleep 0.05; ');

function spawn(cp, script, { stdio = ['ignore', 'pipe', 'pipe', 'ipc'], ...options } = {}) {
  return cp.spawn('bash', ['-c', script], { stdio, ...options });
}

const outcome = (cp, t, script, options) => t.outcome(() => spawn(cp, script, options));

const frame = (bytes) =>
  Buffer.concat([Buffer.from([bytes.length >>> 24, bytes.length >>> 16, bytes.length >>> 8, bytes.length]), bytes]);
const asPrintf = (bytes) => [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

module.exports = paired(
  {
    'what is in its environment': async (cp, t) => {
      const dump = (options) => outcome(cp, t, 'tr "\\0" "\\n" < /proc/$$/environ', options);
      return {
        plain: await dump({ env: { A: '1' } }),
        advanced: await dump({ env: { A: '1' }, serialization: 'advanced' }),
        inherited: await dump(),
        empty: await dump({ env: {} }),
        given: await dump({
          env: { NODE_CHANNEL_FD: '9', NODE_CHANNEL_SERIALIZATION_MODE: 'x', NODE_OPTIONS: '--no-warnings', B: '2' },
        }),
        without: await dump({ stdio: ['ignore', 'pipe', 'pipe'], serialization: 'advanced', env: { A: '1' } }),
      };
    },

    'the channel at every place': async (cp, t) => {
      const script = [
        say('{"fd":"here"}'),
        'read -u $NODE_CHANNEL_FD line',
        say('"done"'),
        `test "$line" = '"hello"'`,
      ].join('; ');
      const outcomes = {};
      for (const [name, stdio] of Object.entries({
        0: ['ipc'],
        1: ['ignore', 'ipc'],
        2: ['ignore', 'ignore', 'ipc'],
        3: ['ignore', 'ignore', 'ignore', 'ipc'],
        4: ['ignore', 'ignore', 'ignore', 'pipe', 'ipc'],
        12: [...Array(12).fill('ignore'), 'ipc'],
        beforePipes: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      })) {
        const child = spawn(cp, script, { stdio });
        const kinds = child.stdio.map((stream) => stream && stream.constructor.name);
        const recorded = t.record(child);
        child.send('hello');
        outcomes[name] = { kinds, connected: child.connected, recorded: await recorded };
      }
      return outcomes;
    },

    'spawn comes before whatever the channel brings': async (cp) => {
      const first = {};
      for (let i = 0; i < 20; i++) {
        const child = cp.spawn(...(i % 2 === 0 ? ['true', []] : ['sh', ['-c', 'echo 1 >&3']]), {
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        });
        const order = [];
        for (const event of ['spawn', 'message', 'disconnect']) child.on(event, () => order.push(event));
        await new Promise((resolve) => child.on('close', resolve));
        first[order[0]] = (first[order[0]] ?? 0) + 1;
      }
      return first;
    },

    'what the child finds at the descriptor': (cp, t) =>
      outcome(
        cp,
        t,
        `
    test -S /dev/fd/$NODE_CHANNEL_FD && echo socket
    # Blocking or not, and whether what it starts inherits it.
    grep ^flags /proc/$$/fdinfo/$NODE_CHANNEL_FD
    bash -c 'test -e /proc/self/fd/'$NODE_CHANNEL_FD' && echo inherited'`,
      ),

    'messages as lines of text': (cp, t) =>
      outcome(
        cp,
        t,
        say(
          '1',
          '"text"',
          'null',
          'true',
          '[1,"two",{"three":3}]',
          '{"a":{"b":null}}',
          '""',
          '0',
          '-0',
          '1e3',
          ' { "spaces" : [ 1 , 2 ] } ',
          '"\\u00e9\\ud83d\\ude00"',
          '"é\u{1F600}"',
          '{"__proto__":1,"a":2}',
          '{"a":1,"a":2}',
          '"\\ud800"',
          '1e400',
          '\t7\r',
        ),
      ),

    'what the child reads: the bytes': async (cp, t) => {
      const child = spawn(cp, `cat <&$NODE_CHANNEL_FD & sleep 0.2; kill $! 2>/dev/null; wait`);
      const recorded = t.record(child);
      for (const message of [
        'text',
        1,
        null,
        true,
        { a: [1, { b: undefined }] },
        'é\u{1F600}\u2028\uD800\n"',
        [undefined, NaN, -0],
        {},
        '',
        { cmd: 'NODE_X' },
      ])
        child.send(message);
      return recorded;
    },

    'what the child reads in the advanced mode: the bytes, after each value’s header': async (cp, t) => {
      const child = spawn(cp, `cat <&$NODE_CHANNEL_FD & sleep 0.2; kill $! 2>/dev/null; wait`, {
        serialization: 'advanced',
      });
      const chunks = [];
      child.stdout.on('data', (chunk) => chunks.push(chunk));
      const recorded = t.record(child, { streams: false });
      const messages = [
        'text',
        'é',
        'ě\u{1F600}',
        1,
        -1,
        1.5,
        2 ** 40,
        -0,
        NaN,
        null,
        true,
        false,
        { a: [1, { b: undefined }] },
        '',
        [],
        Buffer.from('bytes'),
        new Uint16Array([1, 2]),
        new Map([[1, 2]]),
        'x'.repeat(300),
      ];
      for (const message of messages) child.send(message);
      await recorded;
      // Frame by frame, decoded by V8 where it can be: which of several encodings is chosen is the writer's to say.
      const all = Buffer.concat(chunks);
      const frames = [];
      for (let at = 0; at < all.length; at += 4 + all.readUInt32BE(at))
        frames.push(all.subarray(at + 4, at + 4 + all.readUInt32BE(at)));
      const isView = (bytes) => bytes[2] === 0x5c;
      return frames.map((bytes) => [
        bytes.subarray(0, 2).toString('hex'),
        isView(bytes) ? bytes.toString('hex') : t.describe(v8.deserialize(bytes)),
      ]);
    },

    'advanced messages by hand': (cp, t) => {
      const messages = ['text', { a: [1, null] }, 7, new Map([['k', 'v']]), 'é', 'ě', null, -0, 1.5, true];
      const bytes = Buffer.concat(messages.map((message) => frame(v8.serialize(message))));
      return outcome(cp, t, `printf '${asPrintf(bytes)}' >&$NODE_CHANNEL_FD`, { serialization: 'advanced' });
    },

    'advanced messages of other writers: padding, older versions': (cp, t) => {
      // Versions 13 and 14, a two-byte string, an int written as a double, as an int, as an unsigned one.
      const bodies = [
        'ff0d2203616263',
        'ff0e2203616263',
        'ff0f00630461006200',
        'ff0f4e000000000000f03f',
        'ff0f490e',
        'ff0f550e',
      ].map((hex) => frame(Buffer.from(hex, 'hex')));
      return outcome(cp, t, `printf '${asPrintf(Buffer.concat(bodies))}' >&$NODE_CHANNEL_FD`, {
        serialization: 'advanced',
      });
    },

    'a line in pieces, several lines in one write, no line': async (cp, t) => ({
      pieces: await outcome(cp, t, inPieces(['{"a":', '[1,', '2]}\\n'])),
      characters: await outcome(cp, t, inPieces(['"\\xc3', '\\xa9\\xf0\\x9f', '\\x98\\x80"\\n'])),
      several: await outcome(cp, t, `printf '1\\n2\\n3\\n' >&$NODE_CHANNEL_FD`),
      nothing: await outcome(cp, t, 'true'),
    }),

    'a frame in pieces': (cp, t) => {
      const bytes = frame(v8.serialize('in pieces'));
      const parts = [
        bytes.subarray(0, 1),
        bytes.subarray(1, 3),
        bytes.subarray(3, 4),
        bytes.subarray(4, 5),
        bytes.subarray(5, 9),
        bytes.subarray(9),
      ];
      return outcome(
        cp,
        t,
        parts.map((part) => `printf '${asPrintf(part)}' >&$NODE_CHANNEL_FD`).join('; sleep 0.02; '),
        { serialization: 'advanced' },
      );
    },

    'long lines': (cp, t) =>
      outcome(
        cp,
        t,
        `for n in 65534 65535 65536 65537 300000
        do { printf '"'; head -c $n /dev/zero | tr '\\0' x; printf '"\\n'; } >&$NODE_CHANNEL_FD
        done`,
      ),

    'many lines': async (cp) => {
      const child = spawn(cp, `seq 1 20000 >&$NODE_CHANNEL_FD`);
      let count = 0;
      let wrong = 0;
      child.on('message', (message) => {
        if (message !== ++count) wrong += 1;
      });
      await new Promise((resolve) => child.on('close', resolve));
      return { count, wrong };
    },

    'the child closes its end and goes on': async (cp, t) => {
      const child = spawn(cp, `${say('"last"')}; eval "exec $NODE_CHANNEL_FD>&-"; read line; exit 3`, {
        stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
      });
      const recorded = t.record(child);
      child.once('disconnect', () => {
        t.log(
          'disconnect',
          child.connected,
          child.exitCode,
          t.attempt(() => child.send('x', (error) => t.log('send', error))),
        );
        child.stdin.end('\n');
      });
      return recorded;
    },

    'a grandchild keeps the channel open': async (cp, t) => {
      const child = spawn(cp, `{ sleep 0.15; ${say('"from the grandchild"')}; } & exit 5`, {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      for (const event of ['message', 'disconnect', 'exit', 'close'])
        child.on(event, (...args) => t.log(event, args, child.connected));
      await new Promise((resolve) => child.on('close', resolve));
    },

    'the parent disconnects: the child reads the end': async (cp, t) => {
      const child = spawn(cp, `${say('"ready"')}; cat <&$NODE_CHANNEL_FD; echo end`);
      const recorded = t.record(child, { until: 'exit' });
      child.once('message', () => {
        child.send('last');
        child.disconnect();
      });
      return recorded;
    },

    'internal messages from elsewhere': (cp, t) => {
      const child = spawn(
        cp,
        say(
          '{"cmd":"NODE_X","a":1}',
          '{"a":1,"cmd":"NODE_Y"}',
          '{"cmd":"NODE_"}',
          '{"cmd":"\\u004eODE_Z"}',
          '{ "cmd" : "NODE_SPACES" }',
          '{"cmd":"NODE_A","cmd":"other"}',
          '{"cmd":"other","cmd":"NODE_B"}',
          '{"a":{"cmd":"NODE_C"}}',
          '{"cmd":"NODE_\\ud83d\\ude00"}',
        ),
      );
      const seen = [];
      for (const event of ['message', 'internalMessage']) child.on(event, (message) => seen.push([event, message]));
      return t.record(child).then((recorded) => ({ recorded, seen }));
    },

    'a handle that is announced and does not come is refused': async (cp, t) => {
      const child = spawn(
        cp,
        `${say('{"cmd":"NODE_HANDLE","type":"net.Socket","msg":"x"}')}; read -u $NODE_CHANNEL_FD line; echo "$line"`,
      );
      const seen = [];
      child.on('internalMessage', (message, handle) => seen.push([message, handle]));
      return { recorded: await t.record(child), seen };
    },

    'a signal, a timeout, and a missing program, with a channel': async (cp, t) => ({
      abort: await t.outcome(() =>
        cp.spawn('sleep', ['20'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], signal: AbortSignal.abort() }),
      ),
      // Whether the program runs by then is a race.
      timeout: await t.outcome(
        () => cp.spawn('sleep', ['20'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], timeout: 20 }),
        { ignore: ['spawn'] },
      ),
      missing: await t.outcome(() => cp.spawn('no-such-program', { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] })),
      shell: await t.outcome(() =>
        cp.spawn(`printf '"shell"\\n' >&3`, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], shell: true }),
      ),
      argv0: await t.outcome(() =>
        cp.spawn('bash', ['-c', `printf '"%s"\\n' "$0" >&3`], {
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
          argv0: 'zero',
        }),
      ),
    }),

    'a Node program that was spawned, not forked': async (cp, t) => {
      const file = t.program(() =>
        process.once('message', (message) =>
          process.send([message, process.env.NODE_CHANNEL_FD, process.execArgv, Object.keys(process.env)]),
        ),
      );
      const child = cp.spawn(process.execPath, [file], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { A: '1' },
      });
      const recorded = t.record(child);
      child.send('hello');
      return recorded;
    },
  },
  { pairings: ['ours to ours'], serializations: ['json'] },
);
