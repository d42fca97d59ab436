'use strict';

// The functions that native code calls by name. It finds them as `hooks` of the last argument of its functions.

const { AbortError, hooks: errors, tooMuchOutput } = require('../common/errors');
const { isSpawnReplaced } = require('./class');
const { environmentToList } = require('./environment');
const { isHooked } = require('../builtin/originals');
const { whetherLoaded } = require('../builtin/listed');
const { file: binary } = require('../addon/native');
const { isRestricted, mayLaunch, passPermissions, throwDenied } = require('./permission');
const { MAJOR } = require('../common/version');

/** The path of a file: URL object; anything else as it is. */
function pathOfUrl(path) {
  const isUrl = path?.href && path.protocol && path.auth === undefined && path.path === undefined;
  return isUrl ? require('node:url').fileURLToPath(path) : path;
}

const hasStreams = whetherLoaded('stream');

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

/** Whether this Node runs a script that is not in a file of its own. */
function isSingleExecutable() {
  try {
    return require('node:sea').isSea();
  } catch {
    // Node 20.0 to 20.11 have no such module.
    return false;
  }
}

const hooks = {
  ...errors,
  tooMuchOutput,
  aborted: (signal) => new AbortError({ cause: signal.reason }),
  pathOfUrl,
  warnOfShellArguments,
  coverage: () => process.env.NODE_V8_COVERAGE,
  /** The environment of a child without `options.env`; undefined if it simply inherits this process's. */
  ambient: () => environmentToList(hooks.isWatched()),
  /** Whether a program sees normalised options. lib/process/watchers.js replaces this. */
  isWatched: () => false,
  /** Whether a program has replaced the method that starts processes, ours or the builtin's. */
  isPatched: () => isSpawnReplaced() || isHooked(),
  // Accepts any iterable, as the builtin does.
  listOf: (execArgv) => [...execArgv], // eslint-disable-line no-restricted-syntax
  /** What a child needs for the native end of a channel; undefined if no child can have one. */
  get nativeEnd() {
    if (isRestricted || process.versions.electron || isSingleExecutable()) return undefined;
    return { require: require('../channel/native-end').REQUIRE, binary };
  },
  /**
   * The text of an output that was cut off, without the bytes of an incomplete character. `limit` counts the bytes of
   * what was read before, and then the characters of what was read last.
   */
  decodeBeginning(before, last, encoding, limit) {
    const { StringDecoder } = require('node:string_decoder');
    const decoder = new StringDecoder(encoding);
    const text = decoder.write(before);
    return text + decoder.write(last).slice(0, limit - Buffer.byteLength(text, encoding));
  },
  showStderr(stderr) {
    // The builtin also writes an empty string. That would create process.stderr, which takes 2 ms, and cannot be
    // observed if the program has not loaded streams.
    if (stderr.length > 0 || hasStreams()) process.stderr.write(stderr);
  },
  ...(isRestricted && {
    passPermissions,
    checkPermitted(file) {
      if (!mayLaunch()) throwDenied(file);
    },
  }),
};

/** The last argument of native functions that need nothing but the hooks. */
const host = { hooks };

module.exports = { hooks, host };
