'use strict';

// spawn() and fork(): a ChildProcess for a native process, and what can end it early.

const { addAbortListener } = require('node:events');
const { copy } = require('../common/arrays');
const { builtin, isHooked } = require('../builtin/originals');
const { begin } = require('./child');
const { ChildProcess } = require('./class');
const { nextTick } = require('../common/clock');
const { inheritsEnvironment } = require('./environment');
const { AbortError } = require('../common/errors');
const { host } = require('./hooks');
const { isRestricted } = require('./permission');
const { native } = require('../addon/runtime');
const { MAJOR } = require('../common/version');
const { isObserved, isWatched } = require('./watchers');

// The event that stops the timer of `timeout`. From Node 26 on a timeout also ends output that outlives the child.
const END = MAJOR >= 26 ? 'close' : 'exit';

/** Starts `file` (Node.js documentation, «child_process.spawn»). */
function spawn(file, args, options) {
  if (isHooked()) return builtin.spawn(file, args, options);
  // A getter of an option, or the toString() of an argument, may change the array.
  if (Array.isArray(args)) args = copy(args);
  const call = [file, args, options];
  return launch('spawn', call, (handle) => native.spawn(file, args, options, handle)).child;
}

/** Starts the Node module at `modulePath` (Node.js documentation, «child_process.fork»). */
function fork(modulePath, args = [], options) {
  if (isHooked()) return builtin.fork(modulePath, args, options);
  const call = [modulePath, args, options];
  return launch('fork', call, (handle) => native.fork(modulePath, args, options, handle)).child;
}

/**
 * Launches a process. Returns the child, and its `handle`, the Process that `start(handle)` has launched. If something
 * hooks in between the call and the launch (a tracer, or Node's permission model), there are two steps: the arguments
 * of `verb` are normalised, then the process is launched. The caller has checked that isHooked() is false.
 */
function launch(verb, call, start) {
  if (isRestricted || isObserved()) return launchNormalized(verb, call);
  const child = new ChildProcess();
  const handle = child._handle;
  handle.inheritsEnvironment = inheritsEnvironment();
  const started = start(handle);
  handle.captures = true;
  begin(child, started, call[0], call[1]);
  endEarly(child, handle, handle, handle.killSignal);
  return { child, handle };
}

function launchNormalized(verb, call) {
  /** @type {any} */
  const options = { __proto__: null };
  const normalized = native.normalize(verb, call, host, options);
  const child = new ChildProcess();
  // A method with which a program has replaced child.spawn() may remove it from the child.
  const handle = child._handle;
  handle.mayBeNative = normalized.mayBeNative;
  handle.call = normalized.call;
  child.spawn(options);
  handle.captures = !isWatched();
  native.follow(handle, normalized.plan, handle.captures);
  // The native side enforces the timeout of execFile().
  const limits = verb === 'execFile' ? { signal: options.signal } : options;
  endEarly(child, handle, limits, normalized.killSignal);
  return { child, handle };
}

/** @param {{ timeout?: number, signal?: AbortSignal }} options */
function endEarly(child, handle, options, killSignal) {
  const { timeout, signal } = options;
  if (timeout > 0) child.once(END, () => handle.stopTimer());
  if (signal) killOnAbort(child, handle, signal, killSignal);
}

function killOnAbort(child, handle, signal, killSignal) {
  const abort = () => {
    try {
      if (child.kill(killSignal)) child.emit('error', new AbortError({ cause: signal.reason }));
    } catch (error) {
      child.emit('error', error);
    }
  };
  if (signal.aborted) {
    nextTick(() => handle.afterSpawn(() => nextTick(abort)));
    return;
  }
  // The launch has failed: there is nothing to end, and no exit to wait for.
  if (handle.isLaunched && handle.pid === undefined) return;
  child.once('exit', onceAborted(signal, abort));
}

/** Calls `abort` when `signal` is aborted. Returns a function that prevents that. */
function onceAborted(signal, abort) {
  if (addAbortListener) {
    const listener = addAbortListener(signal, abort);
    return () => listener[Symbol.dispose]();
  }
  // Node 20.0 to 20.4.
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

module.exports = { fork, launch, spawn };
