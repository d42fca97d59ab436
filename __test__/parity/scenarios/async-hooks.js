'use strict';

// What async_hooks and AsyncLocalStorage show of a child and its streams, in whichever context the streams are touched.

const { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId, triggerAsyncId } = require('node:async_hooks');
const domain = require('node:domain');
const { once } = require('node:events');

const STREAMS = ['stdin', 'stdout', 'stderr'];

/**
 * Calls `start`, which gives a child, in a resource of its own. Gives which handles began, each with its trigger and in
 * what it began, and how often the process was called back and destroyed.
 */
async function graph(t, start) {
  const types = new Map();
  const begun = [];
  const ofProcess = { calls: 0, ends: 0 };
  const isProcess = (id) => types.get(id) === 'PROCESSWRAP';
  const hook = createHook({
    init(id, type, trigger) {
      types.set(id, type);
      if (!/^(PROCESS|PIPE)WRAP$/.test(type)) return;
      begun.push(
        `${type} triggered by ${types.get(trigger)}` +
          ` in ${types.get(executionAsyncId())} of ${types.get(triggerAsyncId())}`,
      );
    },
    before(id) {
      if (isProcess(id)) ofProcess.calls++;
    },
    destroy(id) {
      if (isProcess(id)) ofProcess.ends++;
    },
  }).enable();
  const child = new AsyncResource('GRANDPARENT').runInAsyncScope(() =>
    new AsyncResource('PARENT').runInAsyncScope(start),
  );
  await new Promise((resolve) => child.once('close', resolve));
  await t.until(() => ofProcess.ends > 0);
  hook.disable();
  return { begun, ofProcess };
}

function touch(child) {
  child.stdin.on('error', () => {});
  child.stdin.end('text');
  child.stdout.resume();
  child.stderr.resume();
  return child;
}

// When, and in what, something is done with the streams of a child.
const MOMENTS = {
  'at once': (child, use) => use(child),
  'in another resource': (child, use) => new AsyncResource('OTHER').runInAsyncScope(use, undefined, child),
  'in a tick': (child, use) => process.nextTick(use, child),
  'in a promise': (child, use) => Promise.resolve(child).then(use),
  'in a timer': (child, use) => setTimeout(use, 10, child),
  'in spawn': (child, use) => child.on('spawn', () => use(child)),
  'in exit': (child, use) => child.on('exit', () => use(child)),
};

const starts = (cp, t) => ({
  spawn: () => cp.spawn('sleep', ['0.05']),
  exec: () => cp.exec('sleep 0.05', () => {}),
  execFile: () => cp.execFile('sleep', ['0.05'], () => {}),
  fork: () =>
    cp.fork(
      t.program(() => {}),
      { silent: true },
    ),
});

/** Calls `look(start, useThen)` with each way to start a child and each moment. */
async function each(cp, t, look) {
  const found = {};
  for (const [way, start] of Object.entries(starts(cp, t))) {
    for (const [moment, useThen] of Object.entries(MOMENTS)) found[`${way}, ${moment}`] = await look(start, useThen);
  }
  return found;
}

module.exports = {
  'the graph of a child and its streams': (cp, t) =>
    each(cp, t, async (start, useThen) => {
      const { begun, ofProcess } = await graph(t, () => {
        const child = start();
        useThen(child, touch);
        return child;
      });
      // A channel may have more than one.
      return { begun: [...new Set(begun)], ofProcess };
    }),

  'the graph of pipes beyond the third': (cp, t) =>
    graph(t, () => {
      const child = cp.spawn('true', { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] });
      child.on('exit', () => child.stdio.forEach((stream) => stream.resume()));
      return child;
    }),

  'the graph of a child without streams': (cp, t) =>
    graph(t, () => cp.spawn('true', { stdio: 'ignore' }).on('spawn', () => {})),

  'the graph of a program that is not there': (cp, t) =>
    graph(t, () => cp.spawn('no-such-program', { stdio: 'ignore' }).on('error', () => {})),

  'a command whose streams nobody touches is called back once': async (cp, t) => {
    const { ofProcess } = await graph(t, () => cp.exec('echo out; echo err >&2', () => {}));
    return ofProcess;
  },

  'a context that is over by the time of the touch': (cp, t) =>
    graph(t, () => {
      const child = cp.spawn('cat');
      const storage = new AsyncLocalStorage();
      const resource = new AsyncResource('OVER');
      resource.emitDestroy();
      setTimeout(() => resource.runInAsyncScope(() => storage.run('touch', touch, child)), 10);
      return child;
    }),

  'AsyncLocalStorage in the events of streams': async (cp, t) => {
    const storage = new AsyncLocalStorage();
    return each(cp, t, async (start, useThen) => {
      const stores = {};
      const note = (event) => () => {
        (stores[event] ??= new Set()).add(storage.getStore());
      };
      const child = storage.run('launch', start);
      child.on('exit', note('exit')).on('close', note('close'));
      storage.run('touch', () =>
        useThen(child, () => {
          touch(child);
          // In 'exit' the builtin's may have ended before.
          if (child.exitCode !== null) return;
          for (const name of STREAMS)
            for (const event of ['end', 'close']) child[name].on(event, note(`${name} ${event}`));
        }),
      );
      await once(child, 'close');
      return Object.fromEntries(Object.entries(stores).map(([event, set]) => [event, [...set]]));
    });
  },

  'AsyncLocalStorage where data comes': async (cp, t) => {
    const storage = new AsyncLocalStorage();
    for (const run of [undefined, 'launch']) {
      for (const moment of ['at once', 'in another run', 'later']) {
        const child = storage.run(run, () => cp.spawn('cat'));
        const listen = () => {
          child.stdout.on('data', (data) => t.log(run, moment, 'data', String(data), storage.getStore()));
          child.stdout.on('end', () => t.log(run, moment, 'end', storage.getStore()));
          child.stdin.end('text', () => t.log(run, moment, 'written'));
        };
        if (moment === 'at once') listen();
        else if (moment === 'in another run') storage.run('touch', listen);
        else setTimeout(() => storage.run('touch', listen), 10);
        await once(child, 'close');
      }
    }
  },

  // A storage of its own, so that it is not in use before.
  'an AsyncLocalStorage that is first used between the launch and the touch': async (cp, t) => {
    const child = cp.spawn('cat');
    const storage = new AsyncLocalStorage();
    storage.run('touch', () => {
      child.stdout.on('data', () => t.log('data', storage.getStore()));
      child.stdin.end('text');
    });
    await once(child, 'close');
  },

  'AsyncLocalStorage in the callback of a command': async (cp, t) => {
    const storage = new AsyncLocalStorage();
    for (const isTouched of [false, true]) {
      for (const command of ['echo x', 'exit 3', 'no-such-program']) {
        const child = storage.run('launch', () =>
          cp.exec(command, () => t.log(command, isTouched, storage.getStore())),
        );
        if (isTouched) storage.run('touch', touch, child);
        await once(child, 'close');
      }
    }
  },

  'the domain of a stream': async (cp, t) => {
    const outer = domain.create();
    outer.on('error', ({ message }) => t.log('told', message));
    for (const moment of ['at once', 'later']) {
      const child = outer.run(() => cp.spawn('cat'));
      const listen = () => {
        t.log(
          moment,
          STREAMS.map((name) => child[name].domain === outer),
        );
        child.stdout.on('data', () => {
          throw new RangeError(`thrown in data, ${moment}`);
        });
        child.stdin.end('text');
      };
      if (moment === 'at once') listen();
      else setTimeout(listen, 10);
      await once(child, 'close');
    }
  },
};
module.exports['the domain of a stream'].alone = true;
