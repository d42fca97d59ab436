'use strict';

// What the options of fork() do.

const fs = require('node:fs');

const { paired } = require('../pairings');

const SLEEP = { execPath: '/bin/sh', execArgv: ['-c', 'exec sleep 20'], stdio: 'ignore' };

// A child that says one thing and goes.
const HELLO = () => process.send('hello');
const STAY = () => {
  process.on('message', () => {});
  process.send('ready');
};

const kinds = (child) => child.stdio.map((stream) => stream && stream.constructor.name);

async function shape(t, child) {
  const { connected, stdin, stdout, stderr } = child;
  const before = {
    kinds: kinds(child),
    connected,
    standard: [stdin, stdout, stderr].map((stream) => stream && stream.constructor.name),
  };
  return { before, recorded: await t.record(child) };
}

module.exports = paired(
  {
    'nothing given: stdio is inherited and the fourth descriptor is the channel': (cp, t) =>
      shape(t, cp.fork(t.program(HELLO))),

    'silent: pipes': async (cp, t) => {
      const file = t.program(() => {
        console.log('out');
        console.error('err');
        process.stdin.on('data', (data) => process.send(String(data)));
      });
      const child = cp.fork(file, { silent: true });
      child.stdin.end('from the parent');
      return shape(t, child);
    },

    'stdio goes before silent': async (cp, t) => ({
      string: await shape(t, t.fork(HELLO, { silent: true, stdio: 'ignore' })),
      array: await shape(t, t.fork(HELLO, { silent: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })),
      undefined: await shape(t, t.fork(HELLO, { silent: true, stdio: undefined })),
    }),

    'stdio as a word': async (cp, t) => {
      const outcomes = {};
      for (const word of ['pipe', 'ignore', 'inherit', 'overlapped'])
        outcomes[word] = await shape(t, t.fork(HELLO, { stdio: word }));
      for (const word of ['ipc', 'x', '']) outcomes[word] = t.attempt(() => t.fork(HELLO, { stdio: word }));
      return outcomes;
    },

    'the channel at other places': async (cp, t) => {
      const outcomes = {};
      const file = t.program(() => process.send({ fd: process.channel.fd, connected: process.connected }));
      for (const stdio of [
        ['ipc'],
        ['ignore', 'ipc'],
        ['ignore', 'ignore', 'ipc'],
        ['ignore', 'ignore', 'ignore', 'ignore', 'ipc'],
        ['ignore', 'ignore', 'ignore', 'pipe', 'ipc', 'ignore'],
        [...Array(20).fill('ignore'), 'ipc'],
      ]) {
        outcomes[stdio.join()] = await shape(t, t.fork(file, { stdio }));
      }
      return outcomes;
    },

    'exactly one channel': (cp, t) => ({
      none: t.attempt(() => t.fork(HELLO, { stdio: ['pipe', 'pipe', 'pipe'] })),
      empty: t.attempt(() => t.fork(HELLO, { stdio: [] })),
      ignored: t.attempt(() => t.fork(HELLO, { stdio: ['ignore', 'ignore', 'ignore', 'ignore'] })),
      two: t.attempt(() => t.fork(HELLO, { stdio: ['pipe', 'pipe', 'pipe', 'ipc', 'ipc'] })),
      nested: t.attempt(() => t.fork(HELLO, { stdio: [['ipc']] })),
      boxed: t.attempt(() => t.fork(HELLO, { stdio: [new String('ipc')] })),
    }),

    'more pipes beside the channel': async (cp, t) => {
      const child = t.fork(
        () => {
          require('node:fs').writeSync(4, 'on the fifth');
          process.send('sent');
        },
        { stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'] },
      );
      return shape(t, child);
    },

    'descriptors and streams of the parent': async (cp, t) => {
      const out = fs.openSync('out', 'w');
      const recorded = await shape(
        t,
        t.fork(() => process.stdout.write('to a file', () => process.send('written')), {
          stdio: ['ignore', out, { fd: out }, 'ipc'],
        }),
      );
      fs.closeSync(out);
      return { recorded, text: fs.readFileSync('out', 'utf8') };
    },

    'a bad descriptor': (cp, t) =>
      t.outcome(() => t.fork(HELLO, { stdio: ['ignore', 'ignore', 'ignore', 'ipc', 9999] })),

    'env': async (cp, t) => {
      const file = t.program(() => process.send(process.env));
      process.env.ADDED = 'late';
      const outcomes = {
        inherited: await t.outcome(() => t.fork(file)),
        given: await t.outcome(() => t.fork(file, { env: { A: '1', B: undefined, C: 3 } })),
        empty: await t.outcome(() => t.fork(file, { env: {} })),
        spread: await t.outcome(() => t.fork(file, { env: { ...process.env, EXTRA: 'x' } })),
        prototype: await t.outcome(() =>
          t.fork(file, { env: Object.create({ INHERITED: 'i' }, { OWN: { value: 'o', enumerable: true } }) }),
        ),
      };
      delete process.env.ADDED;
      return outcomes;
    },

    'the caller’s env and process.env stay as they are': async (cp, t) => {
      const env = { A: '1' };
      const before = JSON.stringify(process.env);
      const recorded = await t.outcome(() => t.fork(HELLO, { env }));
      return { recorded, env, same: JSON.stringify(process.env) === before };
    },

    'cwd as a string and as a URL, and one that is missing': async (cp, t) => {
      const file = t.program(() => process.send(process.cwd()));
      return {
        string: await t.outcome(() => t.fork(file, { cwd: '/usr' })),
        url: await t.outcome(() => t.fork(file, { cwd: new URL('file:///usr/bin') })),
        missing: await t.outcome(() => t.fork(file, { cwd: '/nonexistent-dir' })),
        missingAndSilent: await t.outcome(() => t.fork(file, { cwd: '/nonexistent-dir', silent: true })),
        relativeModule: await t.outcome(() => t.fork('./program.js', { cwd: t.dir })),
      };
    },

    'execPath: another program, one that is missing, one that may not be run, a link to Node': async (cp, t) => {
      fs.symlinkSync(process.execPath, 'a-link');
      const plain = t.file('plain', 'x', 0o644);
      return {
        other: await t.outcome(() => t.fork('module', { execPath: '/bin/echo', silent: true, args: ['x'] })),
        lookup: await t.outcome(() => t.fork('module', { execPath: 'echo', silent: true })),
        missing: await t.outcome(() => t.fork('module', { execPath: '/no/such/program' })),
        missingSilent: await t.outcome(() => t.fork('module', { execPath: 'no-such-program', silent: true })),
        forbidden: await t.outcome(() => t.fork('module', { execPath: plain })),
        link: await t.outcome(() =>
          t.fork(
            t.program(() => process.send([process.argv0, process.execArgv])),
            { execPath: `${t.dir}/a-link` },
          ),
        ),
      };
    },

    'execPath: a shell script that starts Node': async (cp, t) => {
      const wrapper = t.file('wrapper', `#!/bin/sh\nexec ${JSON.stringify(process.execPath)} "$@"\n`);
      const file = t.program(() => process.send([process.execArgv, process.argv.slice(2), process.env.NODE_OPTIONS]));
      return t.outcome(() => t.fork(file, { execPath: wrapper, execArgv: ['--no-warnings'], args: ['a'] }));
    },

    'what can be sent to a child that was not started, and what it says': async (cp, t) => {
      const child = cp.fork('module', { execPath: '/no/such/program' });
      const recorded = t.record(child);
      const state = { connected: child.connected, channel: typeof child.channel, pid: typeof child.pid };
      const sent = t.attempt(() => child.send('x', (error) => t.log('sent', error)));
      return {
        state,
        sent,
        recorded: await recorded,
        after: { connected: child.connected, channel: child.channel === null },
      };
    },

    'execArgv: the default is that of the process': (cp, t) =>
      t.inNewProcess(
        (cp, t) => {
          const file = t.program(() => process.send([process.execArgv, process.argv.slice(2)]));
          return t.outcome(() => t.fork(file, { args: ['a'] }));
        },
        { execArgv: ['--no-warnings', '--stack-size=900'] },
      ),

    'execArgv: replaced process.execArgv, undefined, an empty list, given ones': (cp, t) =>
      t.inNewProcess(
        async (cp, t) => {
          const file = t.program(() => process.send(process.execArgv));
          const outcomes = {
            undefined: await t.outcome(() => t.fork(file, { execArgv: undefined })),
            empty: await t.outcome(() => t.fork(file, { execArgv: [] })),
            given: await t.outcome(() => t.fork(file, { execArgv: ['--trace-deprecation'] })),
          };
          process.execArgv.push('--no-deprecation');
          outcomes.pushed = await t.outcome(() => t.fork(file));
          process.execArgv = ['--stack-size=901'];
          outcomes.replaced = await t.outcome(() => t.fork(file));
          return outcomes;
        },
        { execArgv: ['--no-warnings'] },
      ),

    'execArgv: the switch of an evaluated parent is not passed on': async (cp, t) => {
      const file = t.program(() => process.send([process.execArgv, process.argv.slice(2)]));
      const pass =
        `const cp = require(${JSON.stringify(t.subject)}); ` +
        `cp.fork(${JSON.stringify(file)}, ['a']).on('message', (m) => console.log(JSON.stringify(m)))`;
      const run = (args) =>
        new Promise((resolve) => {
          require('node:child_process').execFile(process.execPath, args, (error, stdout, stderr) =>
            resolve({ error: error && error.code, stdout, stderr }),
          );
        });
      return {
        e: await run(['-e', pass]),
        eval: await run(['--no-warnings', '--eval', pass, 'rest']),
        p: await run(['-p', `${pass}; 0`]),
        pe: await run(['-pe', `${pass}; 0`]),
        withOthers: await run(['--no-warnings', '-e', pass, '--', '--no-deprecation']),
      };
    },

    'detached': async (cp, t) => {
      const file = t.program(() => {
        const stat = require('node:fs').readFileSync('/proc/self/stat', 'latin1');
        const [, , group, session] = stat
          .slice(stat.lastIndexOf(')') + 2)
          .split(' ')
          .map(Number);
        process.send({ group: group === process.pid, session: session === process.pid });
      });
      return {
        yes: await t.outcome(() => t.fork(file, { detached: true })),
        no: await t.outcome(() => t.fork(file, { detached: false })),
      };
    },

    'uid and gid': async (cp, t) => {
      const file = t.program(() => process.send([process.getuid(), process.getgid()]));
      return {
        both: await t.outcome(() => t.fork(file, { uid: 65534, gid: 65534 })),
        refused: await t.outcome(() => t.fork(file, { uid: -1 })),
      };
    },

    'serialization': async (cp, t) => {
      const file = t.program(() =>
        process.once('message', (message) => {
          process.send([message, message instanceof Map]);
        }),
      );
      const run = async (serialization) => {
        const child = cp.fork(file, { serialization });
        const recorded = t.record(child);
        child.send(new Map([[1, 2]]));
        return recorded;
      };
      return { none: await run(undefined), json: await run('json'), advanced: await run('advanced') };
    },

    'a signal that was aborted before, and later': async (cp, t) => {
      const controller = new AbortController();
      const recorded = t.outcome(() => t.fork(STAY, { signal: controller.signal }));
      const before = await t.outcome(() => t.fork('module', { ...SLEEP, signal: AbortSignal.abort('a reason') }));
      await t.sleep(100);
      controller.abort(new RangeError('later'));
      // Whether it came as far as to say that it was ready is a race.
      const { events } = await recorded;
      return { before, later: events.process };
    },

    'abort from the first message, and after the end': async (cp, t) => {
      const controller = new AbortController();
      const child = t.fork(STAY, { signal: controller.signal, killSignal: 'SIGKILL' });
      child.once('message', () => controller.abort());
      const recorded = await t.record(child);
      const late = new AbortController();
      const other = await t.outcome(() => t.fork(HELLO, { signal: late.signal }));
      late.abort();
      await t.sleep(5);
      return { recorded, other };
    },

    'timeout and killSignal': async (cp, t) => ({
      // Whether the program runs by then is a race.
      term: await t.outcome(() => t.fork('module', { ...SLEEP, timeout: 20 }), { ignore: ['spawn'] }),
      kill: await t.outcome(() => t.fork('module', { ...SLEEP, timeout: 20, killSignal: 'SIGKILL' }), {
        ignore: ['spawn'],
      }),
      number: await t.outcome(() => t.fork('module', { ...SLEEP, timeout: 20, killSignal: 2 }), { ignore: ['spawn'] }),
      notReached: await t.outcome(() => t.fork(HELLO, { timeout: 60_000 })),
    }),

    'kill': async (cp, t) => {
      const child = t.fork(STAY);
      child.once('message', () => t.log('killed', child.kill('SIGKILL'), child.connected));
      return t.record(child);
    },

    'a module that is missing': async (cp, t) => {
      const child = t.fork('./no-such-module.js', { silent: true });
      return t.record(child);
    },

    'a module that throws, one that does not parse, one that ends with a code': async (cp, t) => {
      const run = async (text) => t.outcome(() => t.fork(t.file('bad.js', text), { silent: true }));
      return {
        throws: await run('throw new RangeError("thrown at the start")'),
        syntax: await run('let let'),
        code: await run('process.exitCode = 7'),
        exit: await run('process.exit(9)'),
        signal: await run('process.kill(process.pid, "SIGKILL")'),
        rejection: await run('Promise.reject(new RangeError("rejected"))'),
      };
    },

    'in a Worker of the parent': async (cp, t) => {
      const { Worker } = require('node:worker_threads');
      const file = t.program(() => process.once('message', (message) => process.send([message, process.env.WORKER])));
      const source = `
      const { parentPort, workerData } = require('node:worker_threads')
      const cp = require(workerData.subject)
      process.env.WORKER = 'set in the worker'
      const child = cp.fork(workerData.file)
      for (const event of ['spawn', 'message', 'disconnect', 'exit', 'close']) {
        child.on(event, (...args) => parentPort.postMessage([event, args]))
      }
      child.send('from a worker')`;
      const seen = [];
      const worker = new Worker(source, { eval: true, workerData: { subject: t.subject, file } });
      worker.on('message', (message) => seen.push(message));
      worker.on('error', (error) => seen.push(error));
      const code = await new Promise((resolve) => worker.on('exit', resolve));
      return { seen, code };
    },

    'ten children at once': async (cp, t) => {
      const file = t.program(() => process.once('message', (message) => process.send(message * 2)));
      return Promise.all(
        Array.from({ length: 10 }, async (_, i) => {
          const child = t.fork(file);
          const recorded = t.record(child);
          child.send(i);
          return recorded;
        }),
      );
    },
  },
  { pairings: ['ours to ours', 'ours to builtin'], serializations: ['json'] },
);
