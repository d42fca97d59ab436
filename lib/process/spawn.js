'use strict';

// spawn() and fork(): a ChildProcess for a native process, and what can end it early.

const { addAbortListener } = require('node:events');
const { builtin, isHooked } = require('../builtin/originals');
const { ChildProcess, begin, isWatched } = require('./child');
const { nextTick } = require('../common/clock');
const { inheritsEnvironment } = require('./environment');
const { AbortError } = require('../common/errors');
const { host } = require('./hooks');
const { isRestricted } = require('./permission');
const { native } = require('../addon/runtime');
const { MAJOR } = require('../common/version');

// From Node 26 on a timeout also cuts off output that outlives the child.
const END = MAJOR >= 26 ? 'close' : 'exit';

/** Starts `file` (Node.js documentation, «child_process.spawn»). */
function spawn(file, args, options) {
  return isHooked() ? builtin.spawn(file, args, options) : start(file, args, options);
}

/** The same past all hooks in the builtin. */
function start(file, args, options) {
  return launch('spawn', [file, args, options], (handle) => native.spawn(file, args, options, handle));
}

/** Starts the Node module at `modulePath` (Node.js documentation, «child_process.fork»). */
function fork(modulePath, args = [], options) {
  if (isHooked()) return builtin.fork(modulePath, args, options);
  return launch('fork', [modulePath, args, options], (handle) => native.fork(modulePath, args, options, handle));
}

/**
 * A child whose native process `start` creates. If something hooks in between the call and the launch (a tracer, or
 * Node's permission model), there are two steps: the arguments of `verb` are normalised, then the process is launched.
 */
function launch(verb, call, start) {
  if (isRestricted || isWatched()) return launchNormalized(verb, call);
  const child = new ChildProcess();
  const handle = child._handle;
  handle.inheritsEnvironment = inheritsEnvironment();
  begin(child, start(handle));
  endEarly(child, handle, handle.killSignal);
  return child;
}

function launchNormalized(verb, call) {
  /** @type {any} */
  const options = { __proto__: null };
  const { killSignal, mayBeNative, plan } = native.normalize(verb, call, host, options);
  const child = new ChildProcess();
  child._handle.mayBeNative = mayBeNative;
  child.spawn(options);
  native.follow(child._handle, plan);
  endEarly(child, verb === 'execFile' ? { signal: options.signal } : options, killSignal);
  return child;
}

/** @param {{ timeout?: number, signal?: AbortSignal }} options */
function endEarly(child, options, killSignal) {
  const { timeout, signal } = options;
  const handle = child._handle;
  if (timeout > 0) child.once(END, () => handle.stopTimer());
  if (signal) killOnAbort(child, signal, killSignal);
}

function killOnAbort(child, signal, killSignal) {
  const abort = () => {
    try {
      if (child.kill(killSignal)) child.emit('error', new AbortError({ cause: signal.reason }));
    } catch (error) {
      child.emit('error', error);
    }
  };
  if (signal.aborted) {
    const handle = child._handle;
    nextTick(() => handle.afterSpawn(() => nextTick(abort)));
    return;
  }
  // Nothing was started, so there is nothing to be ended, and no exit to wait for.
  if (child.pid === undefined) return;
  const listener = addAbortListener(signal, abort);
  child.once('exit', () => listener[Symbol.dispose]());
}

module.exports = { fork, launch, spawn, start };
