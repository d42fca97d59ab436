'use strict';

// The many ways to call exec() and execFile(): every argument after the first may be left out.

const { copy } = require('./arrays');
const { native, runtime } = require('./runtime');

/** The arguments of execFile() and execFileSync(). */
function normalizeCall(file, args, options, callback) {
  if (Array.isArray(args)) {
    args = copy(args);
  } else if (typeof args === 'object' && args !== null) {
    callback = options;
    options = args;
    args = null;
  } else if (typeof args === 'function') {
    callback = args;
    options = null;
    args = null;
  }
  if (typeof options === 'function') callback = options;
  native.checkCall(runtime, options, callback);
  return { file, args: args ?? [], options: options ?? {}, callback };
}

/** The arguments of exec() and execSync(). */
function normalizeCommand(command, options, callback) {
  native.checkCommand(runtime, command);
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  const shellOptions = { __proto__: null, ...options };
  shellOptions.shell = typeof shellOptions.shell === 'string' ? shellOptions.shell : true;
  return { options: shellOptions, callback };
}

module.exports = { normalizeCall, normalizeCommand };
