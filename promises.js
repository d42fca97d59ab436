'use strict';

// child-process-rs/promises: commands as promises, launched off the event loop.

const { native } = require('./lib/native');

if (native === null) throw new Error('child-process-rs/promises has no builtin to fall back to on this platform.');

module.exports = require('./lib/promises');
