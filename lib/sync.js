'use strict';

// spawnSync(), execFileSync(), execSync(): the wait is a poll loop in Rust.

const { concat, copy, join, map } = require('./arrays');
const { builtin } = require('./builtin');
const { normalizeCall, normalizeCommand } = require('./calls');
const { isPatched } = require('./child');
const { errnoError } = require('./errors');
const { isInput, toBytes } = require('./input');
const { normalize } = require('./normalize');
const { mayLaunch, throwDenied } = require('./permission');
const { native, runtime } = require('./runtime');

const MAX_BUFFER = 1024 * 1024;
const MAJOR = Number(process.versions.node.split('.')[0]);
// What stdout and stderr of a result are where nothing was started.
const NO_OUTPUT = MAJOR >= 22 ? undefined : null;

/** Starts `file` and waits for its end (Node.js documentation, «child_process.spawnSync»). */
function spawnSync(file, args, options) {
  // Whoever has hooked into that has hooked into what the builtin's spawnSync() calls, too, which only `process.binding` shows.
  if (isPatched()) return builtin.spawnSync(file, args, options);
  const normalized = { __proto__: null, maxBuffer: MAX_BUFFER, ...normalize(file, args, options) };
  const { timeout, maxBuffer, killSignal, encoding, stdio } = normalized;
  const signal = native.checkLimits(runtime, timeout, maxBuffer, killSignal);
  if (!mayLaunch()) throwDenied(normalized.file);
  const { envPairs, cwd, uid, gid, detached } = normalized;
  if (normalized.input && !isInput(normalized.input)) native.checkStdioSync(runtime, stdio);
  const input = normalized.input ? toBytes(normalized.input, encoding) : undefined;
  const result = native.runSync(
    runtime, stdio, normalized.file, normalized.args, envPairs, cwd, uid, gid, detached,
    input, maxBuffer, timeout, signal,
  );
  if (result.output && encoding && encoding !== 'buffer') {
    result.output = map(result.output, (bytes) => bytes && bytes.toString(encoding));
  }
  result.stdout = result.output ? result.output[1] : NO_OUTPUT;
  result.stderr = result.output ? result.output[2] : NO_OUTPUT;
  if (result.error) {
    result.error = errnoError(result.error, `spawnSync ${normalized.file}`);
    result.error.path = normalized.file;
    result.error.spawnargs = copy(normalized.args, 1);
  }
  return result;
}

/** Runs `file` and returns its output (Node.js documentation, «child_process.execFileSync»). */
function execFileSync(file, args, options) {
  ({ file, args, options } = normalizeCall(file, args, options));
  const result = spawnSync(file, args, options);
  return outputOf(result, options.stdio, () => join(concat([options.argv0 || file], args), ' '));
}

/**
 * Runs a command line in a shell and returns its output (Node.js documentation, «child_process.execSync»). Never put
 * user input into the command: a shell reads it. execFileSync() takes arguments as they are.
 */
function execSync(command, options) {
  const { options: shellOptions } = normalizeCommand(command, options, null);
  return outputOf(spawnSync(command, shellOptions), shellOptions.stdio, () => command);
}

function outputOf(result, stdio, describe) {
  if (!stdio && result.stderr) process.stderr.write(result.stderr);
  if (result.error) throw Object.assign(result.error, result);
  if (result.status === 0) return result.stdout;
  const complaint = result.stderr && result.stderr.length > 0 ? `\n${result.stderr.toString()}` : '';
  throw Object.assign(new Error(`Command failed: ${describe()}${complaint}`), result);
}

module.exports = { execFileSync, execSync, spawnSync };
