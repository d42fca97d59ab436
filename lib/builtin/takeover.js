'use strict';

// Replaces the functions of Node's child_process with ours, for all code in this process. The addon is loaded when one
// of them is called.

const { syncBuiltinESMExports } = require('node:module');
const { replaceBuiltin } = require('./originals');
const exported = require('./exported');

function takeOver() {
  // If the package itself is loaded, what it exports.
  const { isNative, version, ...functions } = exported.current ?? exported.ours();
  exported.current = replaceBuiltin(functions);
  syncBuiltinESMExports();
}

module.exports = { takeOver };
