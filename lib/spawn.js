'use strict';

// spawn() and fork(): a ChildProcess for a native process, and what can end it early.

const { addAbortListener } = require('node:events');
const { builtin, isHooked } = require('./builtin');
const { ChildProcess, begin, isWatched } = require('./child');
const { clearTimeout, nextTick, setTimeout } = require('./clock');
const { AbortError } = require('./errors');
const { host } = require('./hooks');
const { isRestricted } = require('./permission');
const { native } = require('./runtime');

const MAJOR = Number(process.versions.node.split('.')[0]);
// From Node 26 on a timeout also cuts off output that outlives the child.
const END = MAJOR >= 26 ? 'close' : 'exit';

/** Starts `file` (Node.js documentation, «child_process.spawn»). */
function spawn(file, args, options) {
  return isHooked() ? builtin.spawn(file, args, options) : start(file, args, options);
}

/** The same past all hooks in the builtin. */
function start(file, args, options) {
  if (takesTwoSteps()) return launchNormalized('spawn', [file, args, options]).child;
  return launch((handle) => native.spawn(file, args, options, handle)).child;
}

/** Starts the Node module at `modulePath` (Node.js documentation, «child_process.fork»). */
function fork(modulePath, args = [], options) {
  if (isHooked()) return builtin.fork(modulePath, args, options);
  if (takesTwoSteps()) return launchNormalized('fork', [modulePath, args, options]).child;
  return launch((handle) => native.fork(modulePath, args, options, handle)).child;
}

/** Whether somebody hooks in between the call and the launch: a tracer, or Node's permission model. */
function takesTwoSteps() {
  return isRestricted || isWatched();
}

/** A child that `start` has made the native process of, and that. */
function launch(start) {
  const child = new ChildProcess();
  const process = start(child._handle);
  begin(child, process);
  endEarly(child, process, process.killSignal);
  return { child, process };
}

/** The same in two steps. */
function launchNormalized(verb, call) {
  /** @type {any} */
  const options = { __proto__: null };
  const { killSignal, mayBeNative, execution } = native.normalize(verb, call, host, options);
  const child = new ChildProcess();
  child._handle.mayBeNative = mayBeNative;
  child.spawn(options);
  endEarly(child, options, killSignal);
  return { child, process: { execution } };
}

function endEarly(child, { timeout, signal }, killSignal) {
  if (timeout > 0) killAfter(child, timeout, killSignal);
  if (signal) killOnAbort(child, signal, killSignal);
}

function killAfter(child, milliseconds, killSignal) {
  const timer = setTimeout(() => {
    try {
      child.kill(killSignal);
    } catch (error) {
      child.emit('error', error);
    }
  }, milliseconds);
  child.once(END, () => clearTimeout(timer));
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
    child.once('spawn', () => nextTick(abort));
    return;
  }
  // Nothing was started, so there is nothing to be ended, and no exit to wait for.
  if (child.pid === undefined) return;
  const listener = addAbortListener(signal, abort);
  child.once('exit', () => listener[Symbol.dispose]());
}

module.exports = { fork, launch, launchNormalized, spawn, start, takesTwoSteps };
