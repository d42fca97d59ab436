'use strict';

// Replaces the functions of Node's child_process with ours, for all code in this process.

const { syncBuiltinESMExports } = require('node:module');
const ours = require('../../index.js');
const { replaceBuiltin } = require('./originals');
const exported = require('./exported');

function takeOver() {
  // Turns the accessor into a plain property, because mocks cannot replace accessors. Node reads it anyway, for the ES
  // module.
  void ours.ChildProcess;
  const { isNative, version, ...properties } = Object.getOwnPropertyDescriptors(ours);
  exported.current = replaceBuiltin(properties);
  syncBuiltinESMExports();
}

module.exports = { takeOver };
