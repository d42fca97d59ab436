'use strict';

// How commands are started: natively, or by the builtin.

const { native } = require('../addon/native');

const builtin = {
  start(call, events) {
    const { Streamed } = require('./streamed');
    return new Streamed(require('node:child_process').spawn, call, events);
  },
  spawnSync: (file, args, options) => require('node:child_process').spawnSync(file, args, options),
};

const ours = {
  start(call, events) {
    const { isWatched } = require('../process/child');
    const { isRestricted } = require('../process/permission');
    if (!isRestricted && !isWatched()) return new (require('./gathered').Gathered)(call, events);
    const { Streamed } = require('./streamed');
    return new Streamed(require('../process/spawn').spawn, call, events);
  },
  spawnSync: (file, args, options) => require('../process/sync').spawnSync(file, args, options),
};

module.exports = { builtin, current: native === null ? builtin : ours };
