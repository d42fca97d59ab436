'use strict';

// What a forked program finds around it: nothing shows how its end of the channel came to be, and nothing of it is
// passed on.

const { paired } = require('../pairings');

// What a process sees of itself; carried over as text into programs.
const LOOK = `(() => ({
  argv: process.argv.slice(1),
  execArgv: process.execArgv,
  env: process.env,
  names: Object.keys(process.env),
  send: typeof process.send,
  connected: String(process.connected),
  channel: typeof process.channel,
}))()`;

const look = (cp, t, options) =>
  t.outcome(() => t.fork(t.file('look.js', `process.send(${LOOK})`), { args: ['a', 'b c'], ...options }));

module.exports = paired(
  {
    'arguments and environment': (cp, t) => look(cp, t),

    'an environment that is given': async (cp, t) => ({
      some: await look(cp, t, { env: { A: '1', PATH: '/bin' } }),
      empty: await look(cp, t, { env: {} }),
    }),

    'switches that are given': (cp, t) =>
      look(cp, t, { execArgv: ['--no-warnings', '--stack-size=950', '--title=a title'] }),

    'NODE_OPTIONS of the parent’s own process.env': async (cp, t) => {
      const outcomes = {};
      for (const value of ['--no-deprecation', '']) {
        process.env.NODE_OPTIONS = value;
        outcomes[value] = await look(cp, t);
        delete process.env.NODE_OPTIONS;
      }
      return outcomes;
    },

    'what a grandchild finds: by fork, by spawn': (cp, t) => {
      const look = t.file(
        'look.js',
        `const seen = ${LOOK}; process.send ? process.send(seen) : console.log(JSON.stringify(seen))`,
      );
      const file = t.program((look) => {
        const cp = require('node:child_process');
        cp.fork(look, ['forked']).on('message', (forked) => {
          const spawned = JSON.parse(cp.execFileSync(process.execPath, [look, 'spawned']));
          const environ = cp
            .execFileSync('/usr/bin/env')
            .toString()
            .split('\n')
            .map((line) => line.split('=')[0]);
          process.send({ forked, spawned, environ });
        });
      });
      return t.outcome(() => t.fork(file, { args: [look] }));
    },

    'what a grandchild finds: options of one’s own': (cp, t) => {
      const look = t.file('look.js', `process.send(${LOOK})`);
      const file = t.program(async (look) => {
        const { fork } = require('node:child_process');
        const { once } = require('node:events');
        const [given] = await once(fork(look, ['x'], { env: { ...process.env, MORE: '1' } }), 'message');
        const [advanced] = await once(
          fork(look, ['y'], { execArgv: ['--no-deprecation'], serialization: 'advanced' }),
          'message',
        );
        process.env.NODE_OPTIONS = '--no-warnings';
        const [changed] = await once(fork(look, ['z']), 'message');
        process.send({ given, advanced: { ...advanced, env: { ...advanced.env } }, changed });
      });
      return t.outcome(() => t.fork(file, { args: [look], env: { NODE_OPTIONS: '--no-deprecation', A: '1' } }));
    },

    'a grandchild by the module under test': (cp, t) => {
      const look = t.file('look.js', `process.send(${LOOK})`);
      const file = t.program((look, subject) => {
        const { fork } = require(subject);
        const child = fork(look, ['forked']);
        const seen = [];
        child.on('message', (message) => seen.push(message));
        child.on('close', (...args) => process.send({ seen, args }));
      });
      return t.outcome(() => t.fork(file, { args: [look, t.subject] }));
    },

    'a Worker in the child has no channel': (cp, t) => {
      const file = t.file(
        'worker.js',
        `
      const { Worker, isMainThread, parentPort, SHARE_ENV } = require('node:worker_threads')
      const look = () => ({ ...${LOOK}, env: { ...process.env }, listeners: process.eventNames().map(String) })
      const run = (options) => new Promise((resolve) => {
        const source = 'require("node:worker_threads").parentPort.postMessage((' + look + ')())'
        const worker = new Worker(source, { eval: true, ...options })
        worker.once('message', ({ argv, ...seen }) => resolve(seen)).once('error', (error) => resolve(String(error)))
      })
      ;(async () => {
        process.env.OF_THE_CHILD = '1'
        process.send({
          plain: await run(),
          shared: await run({ env: SHARE_ENV }),
          own: await run({ env: { A: '1' } }),
          switches: await run({ execArgv: ['--no-deprecation'] }),
        })
      })()`,
      );
      return t.outcome(() => t.fork(file, { env: { NODE_OPTIONS: '--no-warnings', B: '1' } }));
    },

    'a Worker and the child’s messages do not disturb each other': (cp, t) => {
      const file = t.program(() => {
        const { Worker } = require('node:worker_threads');
        const worker = new Worker(
          `
          const { parentPort } = require('node:worker_threads')
          parentPort.once('message', (m) => {
            try { process.send(m) } catch (error) { parentPort.postMessage([m, error.name]) }
          })`,
          { eval: true },
        );
        process.once('message', (message) => worker.postMessage(message));
        worker.once('message', (message) => process.send(message));
        worker.once('exit', (code) => process.send({ code }));
      });
      const child = t.fork(file);
      const recorded = t.record(child);
      child.send('to the worker');
      return recorded;
    },

    'modules that are loaded, and the stack of the program': async (cp, t) =>
      t.outcome(() =>
        t.fork(
          t.file(
            'modules.js',
            `
    process.send({
      // What made the channel may be there.
      cache: Object.keys(require.cache).filter((file) => file.startsWith(__dirname)),
      main: require.main === module,
      parent: module.parent === null,
      id: module.id,
      mainModule: process.mainModule === module,
      children: module.children.length,
      paths: module.paths,
      stack: new Error('here').stack,
      preloads: process._preload_modules,
      extensions: Object.keys(require.extensions),
      limit: Error.stackTraceLimit,
    })`,
          ),
        ),
      ),

    'globals': async (cp, t) =>
      t.outcome(() =>
        t.fork(
          t.file(
            'globals.js',
            `
    process.send({
      names: Object.getOwnPropertyNames(globalThis),
      symbols: Object.getOwnPropertySymbols(globalThis).map(String),
      prepare: typeof Error.prepareStackTrace,
    })`,
          ),
        ),
      ),

    'descriptors: one channel and nothing else': (cp, t) =>
      t.outcome(() =>
        t.fork(
          t.file(
            'fds.js',
            `
    const fs = require('node:fs')
    const links = fs.readdirSync('/proc/self/fd').map((fd) => {
      try { return fs.readlinkSync('/proc/self/fd/' + fd).split(':')[0] } catch { return 'gone' }
    })
    process.send(links.filter((link) => link === 'socket').length)`,
          ),
          { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
        ),
      ),

    'an ES module': (cp, t) => {
      const file = t.file(
        'main.mjs',
        `
      import { once } from 'node:events'
      process.send({ url: typeof import.meta.url, cache: typeof require, seen: ${LOOK} })
      const [message] = await once(process, 'message')
      process.send(['got', message])
      process.on('message', (late) => { process.send(['late', late]); process.disconnect() })`,
      );
      const child = t.fork(file, { args: ['x'] });
      const recorded = t.record(child);
      child.send('first');
      child.on('message', (message) => {
        if (message[0] === 'got') setTimeout(() => child.send('second'), 20);
      });
      return recorded;
    },

    'a program that is an ES module by its package': (cp, t) => {
      t.file('package.json', '{ "type": "module" }');
      return t.outcome(() => t.fork(t.file('main.js', `process.send([typeof require, typeof import.meta.url])`)));
    },

    'a child that becomes another user and goes elsewhere': (cp, t) => {
      const file = t.program(() => {
        process.chdir('/');
        process.setgid(65534);
        process.setuid(65534);
        process.once('message', (message) => process.send([message, process.getuid(), process.cwd()]));
      });
      const child = t.fork(file);
      const recorded = t.record(child);
      child.send('hello');
      return recorded;
    },
  },
  { serializations: ['json'] },
);
