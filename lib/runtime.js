'use strict';

// This copy of the addon at work: what it has started, and its place on the event loop. The native functions take
// `runtime`, its number, first.

const { native } = require('./native');

// Loaded when the first of them is called: a child that only talks to its parent makes no errors.
const hooks = new Proxy({}, { get: (_, name) => require('./errors').hooks[name] });

const runtime = native.open(
  hooks,
  function onSpawn() {
    this.onspawn();
  },
  function onExit(code, signal) {
    this.onexit(code, signal);
  },
  function onOutput(index, isOverLimit) {
    this.onoutput(index, isOverLimit);
  },
  function onFinish(result) {
    this.onfinish(result);
  },
);

module.exports = { native, runtime };
