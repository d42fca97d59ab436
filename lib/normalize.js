'use strict';

// What spawn() and spawnSync() are called with, put into one form.

const { fileURLToPath } = require('node:url');
const { concat, includes, join } = require('./arrays');
const { isObserved } = require('./child');
const { environmentToList } = require('./environment');
const { passPermissions } = require('./permission');
const { native, runtime } = require('./runtime');

const MAJOR = Number(process.versions.node.split('.')[0]);

/**
 * The options that ChildProcess.prototype.spawn takes. Only own properties of the caller's count, so nothing that was
 * put on Object.prototype becomes an option.
 */
function normalize(file, args, options) {
  if (typeof args === 'object' && args !== null && !Array.isArray(args)) {
    options = args;
    args = undefined;
  }
  const normalized = { __proto__: null, ...options };
  const { detached, uid, gid, shell, argv0, windowsHide, windowsVerbatimArguments } = normalized;
  const cwd = pathOfUrl(normalized.cwd);
  native.check(runtime, file, args, options, cwd, detached, uid, gid, shell, argv0, windowsHide, windowsVerbatimArguments);
  args ??= [];
  if (shell) {
    if (args.length > 0) warnOfShellArguments();
    args = ['-c', args.length > 0 ? `${file} ${join(args, ' ')}` : file];
    file = typeof shell === 'string' ? shell : '/bin/sh';
  }
  normalized.args = concat([argv0 ?? file], args);
  normalized.cwd = cwd;
  normalized.detached = Boolean(detached);
  normalized.envPairs = environmentPairs(normalized);
  normalized.file = file;
  normalized.windowsHide = Boolean(windowsHide);
  normalized.windowsVerbatimArguments = Boolean(windowsVerbatimArguments);
  return normalized;
}

/** The child's environment as NAME=value strings; undefined where it simply inherits this process's. */
function environmentPairs({ env, args, stdio }) {
  if (env) return passPermissions(native.envPairs(runtime, Object(env), process.env.NODE_V8_COVERAGE), args);
  const ambient = environmentToList(isObserved() || wantsChannel(stdio));
  return ambient && passPermissions(native.envPairs(runtime, ambient, undefined), args);
}

/** Whether a child is to have a channel, which its environment tells it of. */
function wantsChannel(stdio) {
  return Array.isArray(stdio) && includes(stdio, 'ipc');
}

/** The path of a file: URL object; anything else as it is. */
function pathOfUrl(cwd) {
  const isUrl = cwd?.href && cwd.protocol && cwd.auth === undefined && cwd.path === undefined;
  return isUrl ? fileURLToPath(cwd) : cwd;
}

let warnedOfShellArguments = false;

function warnOfShellArguments() {
  if (MAJOR < 24 || warnedOfShellArguments) return;
  warnedOfShellArguments = true;
  process.emitWarning(
    'Passing args to a child process with shell option true can lead to security ' +
      'vulnerabilities, as the arguments are not escaped, only concatenated.',
    'DeprecationWarning',
    'DEP0190',
  );
}

module.exports = { normalize, pathOfUrl };
