'use strict';

// fork(): a Node child with a channel.

const { concat, copy } = require('./arrays');
const { builtin, isHooked } = require('./builtin');
const { native, runtime } = require('./runtime');
const { pathOfUrl } = require('./normalize');
const { mayBeNative } = require('./native-end');
const { start } = require('./spawn');

/** Starts the Node module at `modulePath` (Node.js documentation, «child_process.fork»). */
function fork(modulePath, args = [], options) {
  if (isHooked()) return builtin.fork(modulePath, args, options);
  const path = pathOfUrl(modulePath);
  if (typeof args === 'object' && args !== null && !Array.isArray(args)) {
    options = args;
    args = [];
  }
  native.checkFork(runtime, path, args ?? [], options);
  const forked = { __proto__: null, ...options, shell: false };
  forked.execPath ||= process.execPath;
  const given = forked.execArgv || process.execArgv;
  native.checkForked(runtime, forked.execPath, typeof given === 'string' ? given.split('') : given, forked.stdio);
  forked.stdio = withChannel(forked);
  const execArgv = listOf(given);
  return start(forked.execPath, concat(execArgv, [path], args ?? []), forked, mayBeNative(forked, execArgv));
}

function withChannel({ stdio, silent }) {
  if (Array.isArray(stdio)) return stdio;
  const entry = typeof stdio === 'string' ? stdio : silent ? 'pipe' : 'inherit';
  if (entry === 'inherit') return [0, 1, 2, 'ipc'];
  return [entry, entry, entry, 'ipc'];
}

/** The list of `execArgv`, which is iterable; this process's own without `-e script`, which the child would run instead of the module. */
function listOf(execArgv) {
  if (!Array.isArray(execArgv)) return [...execArgv];
  if (execArgv !== process.execArgv || process._eval == null) return execArgv;
  let index = execArgv.length - 1;
  while (index > 0 && execArgv[index] !== process._eval) index--;
  return index > 0 ? concat(copy(execArgv, 0, index - 1), copy(execArgv, index + 1)) : execArgv;
}

module.exports = { fork };
