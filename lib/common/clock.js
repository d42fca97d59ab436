'use strict';

// The real ticks and timers. A test runner's fake ones must not delay the events of processes. The builtin is not
// affected by those either, because it has its own references.

const { clearTimeout, setTimeout } = require('node:timers');

// In a vm context (such as jest's) `process` is a copy, whose ticks may be fake from the start. The main context has
// the real one.
const isInContext = !(setTimeout instanceof Function);
const mainProcess = isInContext ? require('node:vm').runInThisContext('process') : process;
const { hrtime, nextTick } = mainProcess;

/** Milliseconds of a clock that is never set. Without `performance`, which takes a millisecond to load. */
function now() {
  const time = hrtime();
  return time[0] * 1e3 + time[1] / 1e6;
}

module.exports = { clearTimeout, isInContext, mainProcess, nextTick, now, setTimeout };
