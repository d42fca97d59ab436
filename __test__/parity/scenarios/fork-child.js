'use strict';

// What a forked program finds around it: nothing shows how its end of the channel came to be, and nothing of it is
// passed on.

const { paired } = require('../pairings');

const [major] = process.versions.node.split('.').map(Number);
const PERMISSION = major >= 22 ? '--permission' : '--experimental-permission';

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

// A warning names its process, and Nodes warn about different things.
const QUIET = { silent: true };

const look = (cp, t, options) =>
  t.outcome(() => t.fork(t.file('look.js', `process.send(${LOOK})`), { args: ['a', 'b c'], ...options }));

/** The child's messages and its end, without its streams. */
async function told(t, child) {
  const { events } = await t.record(child, { streams: false });
  for (const stream of child.stdio) stream?.resume();
  return events;
}

module.exports = paired(
  {
    'arguments and environment': (cp, t) => look(cp, t),

    'an environment that is given': async (cp, t) => ({
      some: await look(cp, t, { env: { A: '1', PATH: '/bin' } }),
      empty: await look(cp, t, { env: {} }),
    }),

    'switches that are given': (cp, t) =>
      look(cp, t, { execArgv: ['--no-warnings', '--stack-size=950', '--title=a title'] }),

    'NODE_OPTIONS that are given: what is seen, and whether they are obeyed': async (cp, t) => {
      const file = t.file(
        'look.js',
        `process.send([process.env.NODE_OPTIONS, process.noDeprecation, global.preloaded, process.execArgv, Object.keys(process.env)])`,
      );
      const preloaded = t.file('with a space/pre "quoted".js', 'global.preloaded = (global.preloaded ?? 0) + 1');
      const escaped = preloaded.replace(/["\\]/g, '\\$&');
      const outcomes = {};
      for (const value of [
        '',
        ' ',
        '--no-deprecation',
        ' --no-deprecation  ',
        `--require "${escaped}"`,
        `-r "${escaped}" --no-deprecation`,
        `--no-deprecation --require="${escaped}"`,
        '--stack-trace-limit=5',
        '--max-old-space-size=200 --no-deprecation',
      ]) {
        outcomes[value] = await told(t, t.fork(file, { env: { FIRST: '1', NODE_OPTIONS: value, LAST: '2' } }));
      }
      return outcomes;
    },

    'NODE_OPTIONS of the parent’s own process.env': async (cp, t) => {
      const outcomes = {};
      for (const value of ['--no-deprecation', '']) {
        process.env.NODE_OPTIONS = value;
        outcomes[value] = await look(cp, t);
        delete process.env.NODE_OPTIONS;
      }
      return outcomes;
    },

    'NODE_OPTIONS that Node refuses': async (cp, t) => {
      const run = async (NODE_OPTIONS) => {
        const child = t.fork(t.file('look.js', ''), { env: { NODE_OPTIONS }, silent: true });
        return t.record(child);
      };
      return {
        unknown: await run('--no-such-option'),
        forbidden: await run('--eval 1'),
        quote: await run('"--no-warnings'),
      };
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
        const worker = new Worker('require("node:worker_threads").parentPort.postMessage((' + look + ')())', { eval: true, ...options })
        worker.once('message', ({ argv, ...seen }) => resolve(seen)).once('error', (error) => resolve(String(error)))
      })
      ;(async () => {
        process.env.OF_THE_CHILD = '1'
        process.send({ plain: await run(), shared: await run({ env: SHARE_ENV }), own: await run({ env: { A: '1' } }), switches: await run({ execArgv: ['--no-deprecation'] }) })
      })()`,
      );
      return t.outcome(() => t.fork(file, { env: { NODE_OPTIONS: '--no-warnings', B: '1' } }));
    },

    'a Worker and the child’s messages do not disturb each other': (cp, t) => {
      const file = t.program(() => {
        const { Worker } = require('node:worker_threads');
        const worker = new Worker(
          'require("node:worker_threads").parentPort.once("message", (m) => { try { process.send(m) } catch (error) { require("node:worker_threads").parentPort.postMessage([m, error.name]) } })',
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
      cache: Object.keys(require.cache).filter((file) => file.startsWith(__dirname)), main: require.main === module, parent: module.parent === null, id: module.id,
      mainModule: process.mainModule === module, children: module.children.length, paths: module.paths,
      stack: new Error('here').stack, preloads: process._preload_modules, extensions: Object.keys(require.extensions), limit: Error.stackTraceLimit,
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
    process.send({ names: Object.getOwnPropertyNames(globalThis), symbols: Object.getOwnPropertySymbols(globalThis).map(String), prepare: typeof Error.prepareStackTrace })`,
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
    const links = fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd).split(':')[0] } catch { return 'gone' } })
    process.send(links.filter((link) => link === 'socket').length)`,
          ),
          { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
        ),
      ),

    'other preloads see the channel, too, and the same environment': (cp, t) => {
      const pre = t.file(
        'pre.js',
        `global.seen = (global.seen ?? []).concat([[typeof process.send, process.connected, process.env.NODE_OPTIONS, Object.keys(process.env)]])`,
      );
      const file = t.file('main.js', 'process.send([global.seen, process.execArgv])');
      return t.outcome(() =>
        t.fork(file, { execArgv: ['--require', pre], env: { A: '1', NODE_OPTIONS: '--no-warnings' } }),
      );
    },

    'a preload of NODE_OPTIONS, and its order with others': async (cp, t) => {
      const first = t.file('first.js', `global.order = ['first', typeof process.send]`);
      const second = t.file('second.js', `global.order.push('second')`);
      const file = t.file('main.js', 'process.send([global.order, process.env.NODE_OPTIONS])');
      return t.outcome(() => t.fork(file, { execArgv: ['-r', second], env: { NODE_OPTIONS: `-r ${first}` } }));
    },

    'a preload that takes the message, sends, disconnects': (cp, t) => {
      const pre = t.file(
        'pre.js',
        `process.send('from the preload'); process.once('message', (m) => { process.send(['preload', m]); process.disconnect() })`,
      );
      const child = t.fork(t.file('main.js', 'process.send("from the program")'), { execArgv: ['--require', pre] });
      const recorded = t.record(child);
      child.send('to whom');
      return recorded;
    },

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

    '--import and loaders': async (cp, t) => {
      const imported = t.file('imported.mjs', `globalThis.imported = [typeof process.send, process.env.NODE_OPTIONS]`);
      const loader = t.file(
        'loader.mjs',
        `export async function resolve(specifier, context, next) {
      return specifier === 'virtual:x' ? { url: 'data:text/javascript,export default "virtual"', shortCircuit: true } : next(specifier, context)
    }`,
      );
      const registering = t.file(
        'registering.mjs',
        `import { register } from 'node:module'; register('./loader.mjs', import.meta.url)`,
      );
      const main = t.file(
        'main.mjs',
        `import x from 'virtual:x'; process.send([x, globalThis.imported, process.execArgv])`,
      );
      return {
        import: await told(
          t,
          t.fork(t.file('plain.js', 'process.send(globalThis.imported)'), {
            ...QUIET,
            execArgv: ['--import', imported],
          }),
        ),
        loader: await told(t, t.fork(main, { ...QUIET, execArgv: ['--no-warnings', '--loader', loader] })),
        register: await told(t, t.fork(main, { ...QUIET, execArgv: ['--import', imported, '--import', registering] })),
        options: await told(
          t,
          t.fork(main, { ...QUIET, env: { NODE_OPTIONS: `--import ${imported} --import ${registering}` } }),
        ),
      };
    },

    'TypeScript': async (cp, t) => ({
      commonjs: await told(
        t,
        t.fork(
          t.file('main.ts', `const answer: number = 42; process.send!([answer, process.execArgv] as unknown[])`),
          QUIET,
        ),
      ),
      module: await told(
        t,
        t.fork(
          t.file(
            'main.mts',
            `import type { Server } from 'node:net'; const f = (s?: Server): string => typeof s; process.send!(f())`,
          ),
          QUIET,
        ),
      ),
    }),

    '--inspect': async (cp, t) => {
      const file = t.program(() => {
        process.send([process.execArgv, require('node:inspector').url() !== undefined]);
        process.once('message', (message) => process.send(message));
      });
      const child = t.fork(file, { ...QUIET, execArgv: ['--inspect=0'] });
      child.send('to the inspected');
      return told(t, child);
    },

    'an evaluated program': async (cp, t) => ({
      e: await told(
        t,
        t.fork('module', { execArgv: ['-e', 'process.send([process.argv.slice(1), process.execArgv])'], args: ['x'] }),
      ),
      p: await told(t, t.fork('module', { ...QUIET, execArgv: ['-p', 'process.send(process.execArgv)'] })),
      check: await told(t, t.fork(t.file('look.js', 'process.send(1)'), { ...QUIET, execArgv: ['--check'] })),
      version: await t.record(t.fork('module', { ...QUIET, execArgv: ['--version'] })),
    }),

    'the permission model': async (cp, t) => {
      const file = t.program(() =>
        process.once('message', (message) =>
          process.send([message, process.env.NODE_OPTIONS, process.execArgv, process.permission.has('addon')]),
        ),
      );
      const run = async (options) => {
        const child = t.fork(file, { ...QUIET, ...options });
        child.send('hello');
        return told(t, child);
      };
      return {
        without: await run({ execArgv: [PERMISSION, '--allow-fs-read=*'] }),
        narrow: await run({ execArgv: [PERMISSION, `--allow-fs-read=${t.dir}/`] }),
        addons: await run({ execArgv: [PERMISSION, '--allow-fs-read=*', '--allow-addons'] }),
        addonsNarrow: await run({ execArgv: [PERMISSION, `--allow-fs-read=${t.dir}/`, '--allow-addons'] }),
        options: await run({ env: { NODE_OPTIONS: `${PERMISSION} --allow-fs-read=*` } }),
      };
    },

    'switches that could stand in the way': async (cp, t) => {
      const file = t.program(() => process.once('message', (message) => process.send([message, process.execArgv])));
      const outcomes = {};
      const sets = [
        ['--no-addons'],
        ['--throw-deprecation', '--pending-deprecation'],
        ['--disable-proto=throw'],
        ['--disable-proto=delete'],
        ['--frozen-intrinsics', '--no-warnings'],
        ['--jitless', '--no-warnings'],
        ['--no-node-snapshot'],
        ['--disallow-code-generation-from-strings'],
        ['--preserve-symlinks', '--preserve-symlinks-main'],
        ['--unhandled-rejections=strict'],
        ['--expose-gc', '--stack-size=500'],
        ['--enable-source-maps'],
        ['--trace-uncaught'],
        ['--conditions=development'],
        ['--use-strict'],
        ['--zero-fill-buffers'],
      ];
      for (const execArgv of sets) {
        const child = t.fork(file, { ...QUIET, execArgv });
        child.send('hello');
        outcomes[execArgv.join(' ')] = await t.record(child);
      }
      return outcomes;
    },

    'files are ES modules unless told otherwise': async (cp, t) => {
      if (major > 22) return 'this Node has no such switch';
      const child = t.fork(t.file('main.js', 'process.send(typeof import.meta.url)'), {
        ...QUIET,
        execArgv: ['--experimental-default-type=module', '--no-warnings'],
      });
      return told(t, child);
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
