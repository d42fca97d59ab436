'use strict';

// What is not in the documentation of exec and its kin but is built upon: functions replaced by tracers and test
// doubles, the diagnostics channel, what the functions themselves look like.

const dc = require('node:diagnostics_channel');

const { collect, sync } = require('../collected');

const NAMES = ['exec', 'execFile', 'execSync', 'execFileSync', 'spawnSync'];

async function replaced(object, key, make, run) {
  const original = object[key];
  object[key] = make(original);
  try {
    return await run();
  } finally {
    object[key] = original;
  }
}

module.exports = {
  'the functions': (cp, t) =>
    NAMES.map((name) => {
      const fn = cp[name];
      const { value, ...flags } = Object.getOwnPropertyDescriptor(cp, name);
      return t.describe({
        name: fn.name,
        length: fn.length,
        own: Object.getOwnPropertyNames(fn).sort(),
        symbols: Object.getOwnPropertySymbols(fn).map(String),
        flags,
        constructs: 'prototype' in fn,
      });
    }),

  'called without this': async (cp, t) => {
    const { exec, execFile, execSync, execFileSync, spawnSync } = cp;
    return {
      exec: await collect(t, (callback) => exec('echo x', callback)),
      execFile: await collect(t, (callback) => execFile('echo', callback)),
      sync: [() => execSync('echo x'), () => execFileSync('echo'), () => spawnSync('echo')].map((fn) => sync(t, fn)),
    };
  },

  'exec calls the execFile of the module': (cp, t) =>
    replaced(
      cp,
      'execFile',
      (original) =>
        function (file, options, callback) {
          t.log(
            'execFile',
            file,
            Object.keys(options),
            options.shell,
            typeof callback,
            arguments.length,
            Object.getPrototypeOf(options) === null,
          );
          return original.call(this, file, options, callback);
        },
      async () => ({
        plain: await collect(t, (callback) => cp.exec('echo x', callback)),
        options: await collect(t, (callback) =>
          cp.exec('echo x', { shell: '/bin/bash', encoding: 'hex', custom: 1 }, callback),
        ),
        none: await collect(t, () => cp.exec('echo x'), { callback: false }),
      }),
    ),

  'none of them calls the spawn of the module': (cp, t) =>
    replaced(
      cp,
      'spawn',
      () => () => {
        throw new EvalError('replaced');
      },
      async () => ({
        exec: await collect(t, (callback) => cp.exec('echo x', callback)),
        execFile: await collect(t, (callback) => cp.execFile('echo', callback)),
      }),
    ),

  'the synchronous ones do not call each other through the module': (cp, t) =>
    replaced(
      cp,
      'spawnSync',
      () => () => {
        throw new EvalError('replaced');
      },
      async () => ({
        execSync: sync(t, () => cp.execSync('echo x')),
        execFileSync: sync(t, () => cp.execFileSync('echo')),
      }),
    ),

  'a patched ChildProcess.prototype.spawn sees what exec starts': async (cp, t) => {
    const seen = [];
    const make = (original) =>
      function (options) {
        const { file, args, cwd, detached, windowsHide, uid, shell, signal } = options;
        seen.push(
          t.describe({
            file,
            args,
            cwd,
            detached,
            windowsHide,
            uid,
            shell,
            signal,
            env: options.envPairs?.filter((pair) => pair.startsWith('PARITY')),
          }),
        );
        return original.call(this, options);
      };
    const outcomes = await replaced(cp.ChildProcess.prototype, 'spawn', make, async () => ({
      exec: await collect(t, (callback) => cp.exec('echo x', { env: { PARITY: '1' }, cwd: '/usr' }, callback)),
      execFile: await collect(t, (callback) => cp.execFile('echo', ['a', 'b'], { windowsHide: 1, uid: 0 }, callback)),
      sync: sync(t, () => cp.execSync('echo x')),
    }));
    return { seen, outcomes };
  },

  'a patched ChildProcess.prototype.spawn may change what exec starts': (cp, t) =>
    replaced(
      cp.ChildProcess.prototype,
      'spawn',
      (original) =>
        function (options) {
          options.file = '/bin/echo';
          options.args = ['echo', 'replaced'];
          return original.call(this, options);
        },
      () => collect(t, (callback) => cp.exec('no-such-program', callback)),
    ),

  'a patched ChildProcess.prototype.spawn that throws': (cp, t) =>
    replaced(
      cp.ChildProcess.prototype,
      'spawn',
      () => () => {
        throw new EvalError('patched');
      },
      () => collect(t, (callback) => cp.exec('echo x', callback)),
    ),

  'the channel child_process hears of exec and execFile, not of the synchronous ones': async (cp, t) => {
    const heard = [];
    const onMessage = ({ process: child }) => heard.push([child instanceof cp.ChildProcess, child.spawnfile]);
    dc.subscribe('child_process', onMessage);
    try {
      await collect(t, (callback) => cp.exec('true', callback));
      await collect(t, (callback) => cp.execFile('true', callback));
      await collect(t, (callback) => cp.execFile('no-such-program', callback));
      cp.spawnSync('true');
      cp.execSync('true');
    } finally {
      dc.unsubscribe('child_process', onMessage);
    }
    return heard;
  },

  'a prepended listener of close runs before the callback': async (cp, t) => {
    const order = [];
    const child = cp.exec('echo x', () => order.push('callback'));
    child.prependListener('close', () => order.push('prepended'));
    child.on('close', () => order.push('appended'));
    await t.sleep(200);
    return order;
  },

  'without its listeners of close the callback is never called': async (cp, t) => {
    const order = [];
    const child = cp.exec('echo x', () => order.push('callback'));
    child.removeAllListeners('close');
    child.on('close', () => order.push('close'));
    await t.sleep(200);
    return order;
  },

  'a close event that the caller emits ends it': async (cp, t) => {
    const calls = [];
    const child = cp.exec('exec sleep 0.2', (...args) => calls.push(args));
    child.emit('close', 3, null);
    const atOnce = calls.length;
    await t.sleep(400);
    return t.describe({ atOnce, calls });
  },
};
