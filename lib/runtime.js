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

const runtime = native.open(
  { ...hooks, node },
  told(function onSpawn() {
    this.onspawn();
  }),
  told(function onExit(code, signal, syscall) {
    this.onexit(code, signal, syscall);
  }),
  told(function onOutput(index, isOverLimit, errno) {
    this.onoutput(index, isOverLimit, errno);
  }),
  told(function onFinish(result) {
    this.onfinish(result);
  }),
);

module.exports = { native, runtime, told };
