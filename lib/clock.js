'use strict';

// Ticks and timers as they were when this was loaded. The builtin has its own, so that a test runner's fake ones do not hold up
// what happens in processes; nor may they here.

const { clearTimeout, setTimeout } = require('node:timers');

const { nextTick } = process;

module.exports = { clearTimeout, nextTick, setTimeout };
