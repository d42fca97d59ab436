'use strict';

// What a trial measures: the module under test, by name. The worker calls it inside the contestant's own process.

const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./paths');

const promisesPath = path.join(root, 'promises.js');

function load(name) {
  if (name === 'ours') return require('../index.js');
  return require('node:child_process');
}

/** `execFile(file, args)` → promise: ours in child-process-rs/promises, elsewhere what people use today, promisify. */
function loadPromises(name) {
  if (name === 'ours') return require(promisesPath);
  const { promisify } = require('node:util');
  return { execFile: promisify(load(name).execFile) };
}

const promisesExist = () => fs.existsSync(promisesPath);

module.exports = { load, loadPromises, promisesExist };
