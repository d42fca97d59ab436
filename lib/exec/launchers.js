'use strict';

// How commands are started: natively, or by the builtin.

const { native } = require('../addon/native');

/** By the builtin, as it is when the command is started. */
const builtin = {
  start(call, events) {
    const { Streamed } = require('./streamed');
    return new Streamed(require('node:child_process').spawn, call, events);
  },
  spawnSync: (file, args, options) => require('node:child_process').spawnSync(file, args, options),
};

function natively() {
  const { Captured } = require('./captured');
  const { isRestricted } = require('../process/permission');
  const { isWatched } = require('../process/watchers');
  return {
    start(call, events) {
      if (!isRestricted && !isWatched()) return new Captured(call, events);
      // Somebody wants to see a ChildProcess.
      const { Streamed } = require('./streamed');
      return new Streamed(require('../process/spawn').spawn, call, events);
    },
    spawnSync: (file, args, options) => require('../process/sync').spawnSync(file, args, options),
  };
}

module.exports = { builtin, current: native === null ? builtin : natively() };
