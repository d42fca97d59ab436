'use strict';

// util.promisify of exec and execFile.

const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const { promisify } = require('node:util');

const values = require('../values');

function kindsOf(value) {
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, Buffer.isBuffer(one) ? 'Buffer' : typeof one]),
  );
}

/** What became of the promise that `start` returns, and of its child. */
async function settled(t, start) {
  let promise;
  try {
    promise = start();
  } catch (error) {
    return { thrown: t.describe(error) };
  }
  const { child } = promise;
  const closed = child && once(child, 'close').catch(() => {});
  const outcome = await promise.then(
    (value) => ({ resolved: t.describe(value), keys: Object.keys(value), kinds: kindsOf(value) }),
    (error) => ({ rejected: t.describe(error), keys: Object.keys(error), kinds: kindsOf(error) }),
  );
  await closed;
  return {
    ...outcome,
    isPromise: promise instanceof Promise,
    hasChild: child !== undefined,
    spawnargs: t.describe(child?.spawnargs),
  };
}

module.exports = {
  'what it is': (cp, t) =>
    ['exec', 'execFile'].map((name) => {
      const { value, ...flags } = Object.getOwnPropertyDescriptor(cp[name], promisify.custom);
      const promisified = promisify(cp[name]);
      return t.describe({
        flags,
        same: value === promisified,
        name: promisified.name,
        length: promisified.length,
        again: promisify(promisified) === promisified,
      });
    }),

  'success': async (cp, t) => ({
    exec: await settled(t, () => promisify(cp.exec)('echo out; echo err >&2')),
    execFile: await settled(t, () => promisify(cp.execFile)('echo', ['out'])),
    nothing: await settled(t, () => promisify(cp.execFile)('true')),
  }),

  'every call shape': async (cp, t) => {
    const exec = promisify(cp.exec);
    const execFile = promisify(cp.execFile);
    const outcomes = {
      'exec options': await settled(t, () => exec('pwd', { cwd: '/usr' })),
      'exec undefined': await settled(t, () => exec('pwd', undefined)),
      'exec null': await settled(t, () => exec('pwd', null)),
      'execFile options': await settled(t, () => execFile('pwd', { cwd: '/usr' })),
      'execFile args options': await settled(t, () => execFile('echo', ['a'], { encoding: 'hex' })),
      'execFile args undefined': await settled(t, () => execFile('echo', ['a'], undefined)),
      'execFile args null': await settled(t, () => execFile('echo', ['a'], null)),
      'execFile null': await settled(t, () => execFile('echo', null)),
      'execFile undefined options': await settled(t, () => execFile('pwd', undefined, { cwd: '/usr' })),
      'execFile null options': await settled(t, () => execFile('pwd', null, { cwd: '/usr' })),
    };
    return outcomes;
  },

  'encodings': async (cp, t) => {
    const outcomes = {};
    for (const encoding of ['utf8', 'hex', 'buffer', null, 'no-such-encoding']) {
      outcomes[encoding] = await settled(t, () => promisify(cp.exec)('printf "\\303\\244"; echo ö >&2', { encoding }));
      outcomes[`${encoding}, failing`] = await settled(t, () =>
        promisify(cp.exec)('printf "\\303\\244"; echo ö >&2; exit 2', { encoding }),
      );
    }
    return outcomes;
  },

  'exit codes and signals': async (cp, t) => ({
    code: await settled(t, () => promisify(cp.exec)('echo out; echo err >&2; exit 3')),
    signal: await settled(t, () => promisify(cp.exec)('echo out; kill -KILL $$')),
    file: await settled(t, () => promisify(cp.execFile)('false', ['x', 'y'])),
  }),

  'programs that do not start': async (cp, t) => {
    t.file('plain', 'x', 0o644);
    return {
      missing: await settled(t, () => promisify(cp.execFile)('no-such-program', ['x'])),
      missingOfBuffers: await settled(t, () => promisify(cp.execFile)('no-such-program', { encoding: 'buffer' })),
      plain: await settled(t, () => promisify(cp.execFile)('./plain')),
      directory: await settled(t, () => promisify(cp.execFile)('/usr')),
      cwd: await settled(t, () => promisify(cp.exec)('true', { cwd: '/nonexistent-dir' })),
      shell: await settled(t, () => promisify(cp.exec)('true', { shell: '/nonexistent-shell' })),
    };
  },

  'limits': async (cp, t) => ({
    timeout: await settled(t, () => promisify(cp.exec)('echo before; exec sleep 5', { timeout: 250 })),
    killSignal: await settled(t, () => promisify(cp.exec)('exec sleep 5', { timeout: 50, killSignal: 'SIGKILL' })),
    maxBuffer: await settled(t, () => promisify(cp.exec)('printf 0123456789; exec sleep 5', { maxBuffer: 4 })),
    maxBufferOfBuffers: await settled(t, () =>
      promisify(cp.exec)('printf 0123456789; exec sleep 5', { maxBuffer: 4, encoding: 'buffer' }),
    ),
  }),

  'aborting': async (cp, t) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new TypeError('mine')), 200);
    return {
      before: await settled(t, () => promisify(cp.exec)('exec sleep 5', { signal: AbortSignal.abort() })),
      while: await settled(t, () => promisify(cp.exec)('echo before; exec sleep 5', { signal: controller.signal })),
      after: await settled(t, () => promisify(cp.execFile)('echo', ['x'], { signal: new AbortController().signal })),
    };
  },

  'what is refused is thrown, not rejected': (cp, t) => {
    const outcomes = { none: t.attempt(() => promisify(cp.exec)()), noFile: t.attempt(() => promisify(cp.execFile)()) };
    for (const [label, value] of values()) {
      if (typeof value !== 'string') outcomes[`command ${label}`] = t.attempt(() => promisify(cp.exec)(value));
    }
    for (const options of [
      { timeout: 'x' },
      { maxBuffer: -1 },
      { killSignal: 'SIGNOTHING' },
      { cwd: 1 },
      { uid: 'x' },
      { signal: 1 },
    ]) {
      outcomes[JSON.stringify(options)] = t.attempt(() => promisify(cp.exec)('true', options));
    }
    outcomes.tooBig = t.attempt(() => promisify(cp.execFile)('true', ['x'.repeat(200_000)]));
    return outcomes;
  },

  'a callback beside the promise': async (cp, t) => ({
    exec: t.attempt(() => promisify(cp.exec)('echo x', {}, () => t.log('called'))),
    instead: await Promise.race([
      promisify(cp.exec)('echo x', () => t.log('called')).then(() => 'resolved'),
      t.sleep(300, 'never settles'),
    ]),
    file: t.attempt(() => promisify(cp.execFile)('echo', ['x'], {}, () => t.log('called'))),
    later: await t.sleep(100),
  }),

  'promise.child is the child': async (cp, t) => {
    const promise = promisify(cp.execFile)('cat');
    const isChild = promise.child instanceof cp.ChildProcess;
    const keys = Object.getOwnPropertyDescriptor(promise, 'child');
    promise.child.stdin.end('through the child');
    return { isChild, flags: t.describe({ ...keys, value: undefined }), outcome: await promise };
  },

  'promise.child may be killed': async (cp, t) => {
    const promise = promisify(cp.exec)('exec sleep 5');
    promise.child.kill();
    return promise.catch((error) => ({ rejected: t.describe(error), killed: promise.child.killed }));
  },

  'promise.child of a program that does not start': async (cp, t) => {
    const promise = promisify(cp.execFile)('no-such-program');
    const { pid, spawnfile } = promise.child;
    return promise.catch((error) => t.describe({ pid, spawnfile, code: error.code }));
  },

  'settled before other listeners of close go on': async (cp, t) => {
    const order = [];
    const promise = promisify(cp.exec)('echo x');
    promise.child.on('exit', () => order.push('exit'));
    promise.child.on('close', () => {
      order.push('close');
      process.nextTick(() => order.push('tick of close'));
    });
    promise.then(() => order.push('resolved'));
    await t.sleep(250);
    return order;
  },

  'an unhandled rejection is one': (cp, t) =>
    t.inNewProcess(async (cp, t) => {
      process.on('unhandledRejection', ({ code, cmd, stderr }) => t.log('unhandledRejection', code, cmd, stderr));
      require('node:util').promisify(cp.exec)('echo err >&2; exit 3');
      await t.sleep(300);
    }),

  'AsyncLocalStorage': async (cp) => {
    const storage = new AsyncLocalStorage();
    return storage.run('mine', async () => {
      await promisify(cp.exec)('true');
      const afterSuccess = storage.getStore();
      await promisify(cp.exec)('false').catch(() => {});
      return { afterSuccess, afterFailure: storage.getStore() };
    });
  },

  'twenty at a time': async (cp) => {
    const exec = promisify(cp.exec);
    return Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        exec(`echo ${i}; exit ${i % 2}`).then(
          ({ stdout }) => stdout,
          ({ code, stdout }) => [code, stdout],
        ),
      ),
    );
  },
};
