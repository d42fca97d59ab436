'use strict';

// The real ticks and timers. A test runner's fake ones must not delay the events of processes. The builtin is not
// affected by those either, because it has its own references.

const { clearTimeout, setTimeout } = require('node:timers');

// In a vm context (such as jest's) `process` is a copy, whose ticks may be fake from the start. The main context has
// the real one.
const isInContext = !(setTimeout instanceof Function);
const mainProcess = isInContext ? require('node:vm').runInThisContext('process') : process;
const { nextTick } = mainProcess;

module.exports = { clearTimeout, isInContext, mainProcess, nextTick, setTimeout };
