'use strict';

// Ticks and timers that are real. The builtin has its own, so that a test runner's fake ones do not hold up what happens in
// processes; nor may they here.

const { clearTimeout, setTimeout } = require('node:timers');

// In a context of its own (jest's) `process` is a copy whose ticks may be fake from the start; the main context has the true one.
const isInContext = !(setTimeout instanceof Function);
const mainProcess = isInContext ? require('node:vm').runInThisContext('process') : process;
const { nextTick } = mainProcess;

module.exports = { clearTimeout, isInContext, mainProcess, nextTick, setTimeout };
