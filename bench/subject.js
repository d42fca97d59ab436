'use strict';

// What a trial measures: the module under test, by name. The worker calls it inside the contestant's own process.

const path = require('node:path');
const { checkouts } = require('./paths');

function load(name) {
  if (name in checkouts) return require(path.join(checkouts[name], 'index.js'));
  return require('node:child_process');
}

/** `execFile(file, args)` → promise: ours in child-process-rs/promises, elsewhere what people use today, promisify. */
function loadPromises(name) {
  if (name in checkouts) return require(path.join(checkouts[name], 'promises.js'));
  const { promisify } = require('node:util');
  return { execFile: promisify(load(name).execFile) };
}

module.exports = { load, loadPromises };
