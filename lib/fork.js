'use strict';

// fork(): a Node child with a channel.

const { native, runtime } = require('./runtime');
const { pathOfUrl } = require('./normalize');
const { mayBeNative } = require('./native-end');
const { spawn } = require('./spawn');

/** Starts the Node module at `modulePath` (Node.js documentation, «child_process.fork»). */
function fork(modulePath, args = [], options) {
  const path = pathOfUrl(modulePath);
  if (typeof args === 'object' && args !== null && !Array.isArray(args)) {
    options = args;
    args = [];
  }
  native.checkFork(runtime, path, args ?? [], options);
  const forked = { __proto__: null, ...options, shell: false };
  forked.execPath ||= process.execPath;
  const execArgv = forked.execArgv || process.execArgv;
  native.checkForked(runtime, forked.execPath, typeof execArgv === 'string' ? execArgv.split('') : execArgv, forked.stdio);
  forked.stdio = withChannel(forked);
  forked.nativeChannel = mayBeNative(forked, execArgv);
  return spawn(forked.execPath, [...withoutScript(execArgv), path, ...(args ?? [])], forked);
}

function withChannel({ stdio, silent }) {
  if (Array.isArray(stdio)) return stdio;
  const entry = typeof stdio === 'string' ? stdio : silent ? 'pipe' : 'inherit';
  return [entry, entry, entry, 'ipc'];
}

/** This process's own options without its `-e script`, which the child would run instead of the module. */
function withoutScript(execArgv) {
  const index = execArgv === process.execArgv && process._eval != null ? execArgv.lastIndexOf(process._eval) : -1;
  return index > 0 ? execArgv.toSpliced(index - 1, 2) : execArgv;
}

module.exports = { fork };
