'use strict';

// When the system says no: too much, too many, out of this or that.

const { hasProcessFds } = require('../../helpers/kernel');

const ARGUMENT_LIMIT = 131072;

module.exports = {
  'one argument beyond the kernel’s limit': async (cp, t) => ({
    piped: await t.outcome(() => cp.spawn('true', ['x'.repeat(ARGUMENT_LIMIT)])),
    ignored: await t.outcome(() => cp.spawn('true', ['x'.repeat(ARGUMENT_LIMIT)], { stdio: 'ignore' })),
    absolute: await t.outcome(() => cp.spawn('/bin/true', ['x'.repeat(ARGUMENT_LIMIT)])),
    justFits: await t.outcome(() => cp.spawn('true', ['x'.repeat(ARGUMENT_LIMIT - 1)])),
  }),

  'all arguments together beyond the limit': async (cp, t) => ({
    over: await t.outcome(() => cp.spawn('true', Array(100).fill('x'.repeat(100_000)))),
    under: await t.outcome(() => cp.spawn('true', Array(10).fill('x'.repeat(100_000)))),
    manySmall: await t.outcome(() => cp.spawn('true', Array(2_000_000).fill('x'), { env: { PATH: '/usr/bin:/bin' } })),
  }),

  'one variable, and all of them, beyond the limit': async (cp, t) => ({
    one: await t.outcome(() => cp.spawn('/bin/true', { env: { LONG: 'x'.repeat(ARGUMENT_LIMIT) } })),
    many: await t.outcome(() =>
      cp.spawn('/bin/true', {
        env: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`V${i}`, 'x'.repeat(100_000)])),
      }),
    ),
    throughPath: await t.outcome(() =>
      cp.spawn('true', { env: { PATH: '/none:/usr/bin:/bin', LONG: 'x'.repeat(ARGUMENT_LIMIT) } }),
    ),
  }),

  'too much, and the program is not there': (cp, t) =>
    t.outcome(() => cp.spawn('no-such-program', ['x'.repeat(ARGUMENT_LIMIT)])),

  'too much, and the directory is not there': (cp, t) =>
    t.outcome(() => cp.spawn('true', ['x'.repeat(ARGUMENT_LIMIT)], { cwd: '/nonexistent-dir' })),

  'out of descriptors': (cp, t) =>
    t.inNewProcess(
      async (cp, t, hasProcessFds) => {
        const fs = require('node:fs');
        await t.outcome(() => cp.spawn('true'));
        await t.outcome(() => cp.spawn('true', { stdio: 'ignore' }));
        const taken = [];
        try {
          for (;;) taken.push(fs.openSync('/dev/null', 'r'));
        } catch (error) {
          t.log('full', error.code);
        }
        const start = () => {
          const child = cp.spawn('true');
          return child;
        };
        // With nothing left not even the log can be written as usual: keep what happens, describe it later.
        const events = [];
        const watch = (label, child) => {
          events.push([
            label,
            'keys',
            child.stdin === undefined,
            child.stdout === undefined,
            child.stdio === undefined,
            child.pid,
          ]);
          for (const event of ['spawn', 'error', 'exit', 'close'])
            child.on(event, (...args) => events.push([label, event, ...args]));
        };
        const attempt = (label, fn) => {
          try {
            watch(label, fn());
          } catch (error) {
            events.push([label, 'thrown', error]);
          }
        };
        attempt('piped', start);
        await t.sleep(100);
        // Without process descriptors ours needs none.
        if (hasProcessFds) attempt('ignored', () => cp.spawn('true', { stdio: 'ignore' }));
        await t.sleep(100);
        attempt('missing', () => cp.spawn('no-such-program'));
        await t.sleep(100);
        for (const fd of taken) fs.closeSync(fd);
        const recovered = await t.outcome(start);
        return { events: t.describe(events), recovered };
      },
      { prefix: ['prlimit', '--nofile=64:64'], argument: hasProcessFds },
    ),

  'few descriptors left': (cp, t) =>
    t.inNewProcess(
      async (cp, t) => {
        const fs = require('node:fs');
        await t.outcome(() => cp.spawn('true'));
        const outcomes = {};
        const taken = [];
        try {
          for (;;) taken.push(fs.openSync('/dev/null', 'r'));
        } catch {
          // All taken.
        }
        for (let free = 1; free <= 6; free++) {
          fs.closeSync(taken.pop());
          const events = [];
          try {
            const child = cp.spawn('true');
            for (const event of ['error', 'close'])
              child.on(event, (...args) => events.push([event, ...args.map((arg) => arg?.code ?? arg)]));
          } catch (error) {
            events.push(['thrown', error.code]);
          }
          await t.sleep(200);
          // How many descriptors a spawn needs is the implementation's business; that it fails with EMFILE or works is
          // not.
          outcomes[free] =
            events.length > 0 && events.every(([, value]) => ['EMFILE', -24, null, 0].includes(value))
              ? 'fails cleanly or works'
              : events;
        }
        for (const fd of taken) fs.closeSync(fd);
        await t.sleep(20);
        return { outcomes, recovered: await t.outcome(() => cp.spawn('echo', ['again'])) };
      },
      { prefix: ['prlimit', '--nofile=64:64'] },
    ),

  'out of processes': (cp, t) =>
    t.inNewProcess(
      async (cp, t) => {
        process.setgroups([]);
        process.setgid(54321);
        process.setuid(54321);
        return {
          piped: await t.outcome(() => cp.spawn('/bin/true')),
          ignored: await t.outcome(() => cp.spawn('/bin/true', { stdio: 'ignore' })),
          detached: await t.outcome(() => cp.spawn('/bin/true', { detached: true })),
        };
      },
      { prefix: ['prlimit', '--nproc=1:1'] },
    ),

  'limits on descriptors reach the child as the parent has them': (cp, t) =>
    t.inNewProcess((cp, t) => t.outcome(() => cp.spawn('sh', ['-c', 'ulimit -n; head -c 10 /dev/zero | wc -c'])), {
      prefix: ['prlimit', '--nofile=100:200'],
    }),

  'NUL everywhere': async (cp, t) => ({
    file: t.attempt(() => cp.spawn('tr\0ue')),
    fileEnd: t.attempt(() => cp.spawn('true\0')),
    argument: t.attempt(() => cp.spawn('true', ['fine', 'a\0b'])),
    longArgument: t.attempt(() => cp.spawn('true', ['x'.repeat(300) + '\0'])),
    argv0: t.attempt(() => cp.spawn('true', { argv0: 'a\0b' })),
    cwd: t.attempt(() => cp.spawn('true', { cwd: '/\0' })),
    shell: t.attempt(() => cp.spawn('true', { shell: '/bin/sh\0' })),
    command: t.attempt(() => cp.spawn('echo \0', { shell: true })),
    key: t.attempt(() => cp.spawn('true', { env: { 'A\0': '1' } })),
    value: t.attempt(() => cp.spawn('true', { env: { A: '\0' } })),
  }),

  'a long command line that fits': async (cp, t) => {
    const child = cp.spawn('sh', ['-c', 'echo $# $(echo "$*" | wc -c)', 'sh', ...Array(10_000).fill('argument')]);
    return t.record(child);
  },

  'a hundred children at once': async (cp, t) => {
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, i) => t.outcome(() => cp.spawn('sh', ['-c', `echo ${i}; exit ${i}`]))),
    );
    return outcomes;
  },

  'a hundred failures at once': (cp, t) =>
    Promise.all(Array.from({ length: 100 }, (_, i) => t.outcome(() => cp.spawn(`no-such-program-${i}`)))),
};
