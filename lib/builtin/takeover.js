'use strict';

// Ours in the place of Node's child_process, for every program of this process.

const { syncBuiltinESMExports } = require('node:module');
const ours = require('../../index.js');
const { replaceBuiltin } = require('./originals');
const exported = require('./exported');

function takeOver() {
  // Mocks replace what is a method, and no accessor; Node reads it in any case, for its ES module.
  void ours.ChildProcess;
  const { isNative, version, ...properties } = Object.getOwnPropertyDescriptors(ours);
  exported.current = replaceBuiltin(properties);
  syncBuiltinESMExports();
}

module.exports = { takeOver };
