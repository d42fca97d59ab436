'use strict';

// child-process-rs/promises: commands as promises, launched off the event loop.

const { native, why } = require('./lib/addon/native');

if (native === null) {
  throw new Error(
    `child-process-rs/promises needs the native addon, and ${why}: ` +
      "use util.promisify(require('node:child_process').execFile) here.",
  );
}

module.exports = require('./lib/exec/promises');
