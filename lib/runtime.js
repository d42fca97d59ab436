'use strict';

// This copy of the addon at work: what it has started, and its place on the event loop. The native functions take
// `runtime`, its number, first.

const { hooks } = require('./errors');
const { native } = require('./native');
const node = require('./node');

/**
 * A function to be called from native code: what it throws is told to `uncaughtException` right there, in the async context that
 * it was thrown in; and is thrown on, so that Node leaves that context as after any other exception.
 */
function told(body) {
  return function (...args) {
    try {
      return body.apply(this, args);
    } catch (error) {
      native.tellThrown(error);
      throw error;
    }
  };
}

// Only the exit is the process's own doing: the builtin emits 'spawn' in a tick of the launch, and has no more to do with the
// process when output comes.
const runtime = native.open(
  { ...hooks, node },
  function onSpawn() {
    this.inLaunchContext(told(() => this.onspawn()));
  },
  function onExit(code, signal, syscall) {
    this.inContext(told(() => this.onexit(code, signal, syscall)));
  },
  function onOutput(index, isOverLimit, errno) {
    this.inLaunchContext(told(() => this.onoutput(index, isOverLimit, errno)));
  },
  told(function onFinish(result) {
    this.onfinish(result);
  }),
);

module.exports = { native, runtime, told };
