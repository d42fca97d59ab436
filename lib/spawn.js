'use strict';

// spawn(): a ChildProcess for normalised options, and what can end it early.

const { addAbortListener } = require('node:events');
const { builtin, isHooked } = require('./builtin');
const { ChildProcess } = require('./child');
const { clearTimeout, nextTick, setTimeout } = require('./clock');
const { AbortError } = require('./errors');
const { normalize } = require('./normalize');
const { native, runtime } = require('./runtime');

const MAJOR = Number(process.versions.node.split('.')[0]);
// From Node 26 on a timeout also cuts off output that outlives the child.
const END = MAJOR >= 26 ? 'close' : 'exit';

/** Starts `file` (Node.js documentation, «child_process.spawn»). */
function spawn(file, args, options) {
  return isHooked() ? builtin.spawn(file, args, options) : start(file, args, options, false);
}

/** The same past all hooks in the builtin; `mayBeNative`: whether the child may have our end of a channel. */
function start(file, args, options, mayBeNative) {
  const normalized = normalize(file, args, options);
  const killSignal = checkEnding(normalized);
  const child = new ChildProcess();
  child._handle.mayBeNative = mayBeNative;
  child.spawn(normalized);
  if (normalized.timeout > 0) killAfter(child, normalized.timeout, killSignal);
  if (normalized.signal) killOnAbort(child, normalized.signal, killSignal);
  return child;
}

/** The number of `options.killSignal`; also checks the other options that may end a child early. */
function checkEnding({ timeout, signal, killSignal }) {
  const isGiven = timeout !== undefined || signal !== undefined || killSignal !== undefined;
  return isGiven ? (native.checkEnding(runtime, timeout, signal, killSignal) ?? undefined) : undefined;
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

module.exports = { spawn, start };
