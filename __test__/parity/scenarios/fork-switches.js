'use strict';

// How a forked program may be started: by switches, NODE_OPTIONS, preloads, loaders. None of them stands in the way of
// its channel.

const { paired } = require('../pairings');

const [major] = process.versions.node.split('.').map(Number);
const PERMISSION = major >= 22 ? '--permission' : '--experimental-permission';

// A warning names its process, and Nodes warn about different things.
const QUIET = { silent: true };

/** The child's messages and its end, without its streams. */
async function told(t, child) {
  const { events } = await t.record(child, { streams: false });
  for (const stream of child.stdio) stream?.resume();
  return events;
}

module.exports = paired(
  {
    'NODE_OPTIONS that are given: what is seen, and whether they are obeyed': async (cp, t) => {
      const file = t.file(
        'look.js',
        `
        const { env, noDeprecation, execArgv } = process
        process.send([env.NODE_OPTIONS, noDeprecation, global.preloaded, execArgv, Object.keys(env)])`,
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

    'other preloads see the channel, too, and the same environment': (cp, t) => {
      const pre = t.file(
        'pre.js',
        `
        const { env, send, connected } = process
        global.seen = (global.seen ?? []).concat([[typeof send, connected, env.NODE_OPTIONS, Object.keys(env)]])`,
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
        `
        process.send('from the preload')
        process.once('message', (m) => { process.send(['preload', m]); process.disconnect() })`,
      );
      const child = t.fork(t.file('main.js', 'process.send("from the program")'), { execArgv: ['--require', pre] });
      const recorded = t.record(child);
      child.send('to whom');
      return recorded;
    },

    '--import and loaders': async (cp, t) => {
      const imported = t.file('imported.mjs', `globalThis.imported = [typeof process.send, process.env.NODE_OPTIONS]`);
      const loader = t.file(
        'loader.mjs',
        `export async function resolve(specifier, context, next) {
      if (specifier !== 'virtual:x') return next(specifier, context)
      return { url: 'data:text/javascript,export default "virtual"', shortCircuit: true }
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
  },
  { serializations: ['json'] },
);
