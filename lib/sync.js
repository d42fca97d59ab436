'use strict';

// spawnSync(), execFileSync(), execSync(): all of it is native.

const { builtin } = require('./builtin');
const { hooks, host } = require('./hooks');
const { native } = require('./native');

/** Starts `file` and waits for its end (Node.js documentation, «child_process.spawnSync»). */
function spawnSync(file, args, options) {
  // Whoever has hooked into that has hooked into what the builtin's spawnSync() calls, too, which only `process.binding` shows.
  if (hooks.isPatched()) return builtin.spawnSync(file, args, options);
  return native.spawnSync(file, args, options, host);
}

/** Runs `file` and returns its output (Node.js documentation, «child_process.execFileSync»). */
function execFileSync(file, args, options) {
  if (hooks.isPatched()) return builtin.execFileSync(file, args, options);
  return native.execFileSync(file, args, options, host);
}

/**
 * Runs a command line in a shell and returns its output (Node.js documentation, «child_process.execSync»). Never put
 * user input into the command: a shell reads it. execFileSync() takes arguments as they are.
 */
function execSync(command, options) {
  if (hooks.isPatched()) return builtin.execSync(command, options);
  return native.execSync(command, options, host);
}

module.exports = { execFileSync, execSync, spawnSync };
