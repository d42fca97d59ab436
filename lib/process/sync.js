'use strict';

// spawnSync(), execFileSync(), execSync(). They are entirely native.

const { builtin, hasOriginals } = require('../builtin/originals');
const { hooks, host } = require('./hooks');
const { native } = require('../addon/native');

/** Whether the builtin is to make the call, so that a patch sees it. */
function isPatched() {
  return hooks.isPatched() && hasOriginals();
}

/** Starts `file` and waits until it has exited (Node.js documentation, «child_process.spawnSync»). */
function spawnSync(file, args, options) {
  // A tool that patches ChildProcess.prototype.spawn also patches the internal function that the builtin's spawnSync()
  // calls. That one is visible only through `process.binding`, which is not checked.
  if (isPatched()) return builtin.spawnSync(file, args, options);
  return native.spawnSync(file, args, options, host);
}

/** Runs `file` and returns its output (Node.js documentation, «child_process.execFileSync»). */
function execFileSync(file, args, options) {
  if (isPatched()) return builtin.execFileSync(file, args, options);
  return native.execFileSync(file, args, options, host);
}

/**
 * Runs a command line in a shell and returns its output (Node.js documentation, «child_process.execSync»). Never put
 * user input into the command, because a shell parses it. execFileSync() passes arguments unchanged.
 */
function execSync(command, options) {
  if (isPatched()) return builtin.execSync(command, options);
  return native.execSync(command, options, host);
}

module.exports = { execFileSync, execSync, spawnSync };
