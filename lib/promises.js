'use strict';

// Commands as promises. Nothing of a run happens on the event loop but its beginning and its end: it is launched, fed,
// read and reaped on the one thread of the native side.

const { StringDecoder } = require('node:string_decoder');
const { concat, copy, join } = require('./arrays');
const { normalizeCall, normalizeCommand } = require('./calls');
const { isWatched } = require('./child');
const { AbortError, errnoError, tooMuchOutput } = require('./errors');
const { execFile: execFileOnLoop } = require('./exec');
const { toBytes } = require('./input');
const { normalize } = require('./normalize');
const { mayLaunch, throwDenied } = require('./permission');
const { native, runtime } = require('./runtime');
const { spawn } = require('./spawn');
const { shellWords, words } = require('./template');

const STDOUT = 1;
const STDERR = 2;
const NAMES = ['stdin', 'stdout', 'stderr'];
// A command need not read all of its input.
const UNREAD = new Set(['EPIPE', 'ECONNRESET']);

const DEFAULTS = { encoding: 'utf8', timeout: 0, maxBuffer: 1024 * 1024, killSignal: 'SIGTERM' };

/** Runs `file` with `args`, no shell involved. */
async function execFile(file, args, options) {
  const call = normalizeCall(file, args, options);
  return run(call.file, call.args, call.options);
}

/** Runs a command line in a shell. Never put user input into it: `sh` and `$` quote what they are given. */
async function exec(command, options) {
  return run(command, [], normalizeCommand(command, options).options);
}

function run(file, args, given) {
  const options = { __proto__: null, ...DEFAULTS, ...given };
  const { timeout, maxBuffer, signal, encoding } = options;
  const killSignal = native.checkLimits(runtime, timeout, maxBuffer, options.killSignal);
  native.checkEnding(runtime, undefined, signal, undefined);
  const normalized = normalize(file, args, options);
  if (!mayLaunch()) throwDenied(file);
  if (signal?.aborted) throw new AbortError({ cause: signal.reason });
  const input = options.input == null ? undefined : toBytes(options.input, isText(encoding) ? encoding : 'utf8');
  if (isWatched()) return runOnLoop(file, args, options, input);
  const command = join(concat([file], args), ' ');
  return new Promise((resolve, reject) => {
    const { envPairs, cwd, uid, gid, detached } = normalized;
    const handle = {
      onfinish(outcome) {
        signal?.removeEventListener('abort', abort);
        try {
          settle(outcome);
        } catch (error) {
          // An output too long for a string, say.
          reject(error);
        }
      },
    };
    const settle = (outcome) => {
      const result = describe(outcome, encoding, maxBuffer);
      const error = failure(outcome, result, { normalized, command, signal });
      if (error) reject(Object.assign(error, result, { cmd: command }));
      else resolve(result);
    };
    // To the native side 0 is no limit, as for spawnSync; to exec it is the least.
    const limit = maxBuffer === 0 ? Number.MIN_VALUE : maxBuffer;
    const id = native.runOffLoop(
      runtime, handle, normalized.file, normalized.args, envPairs, cwd, uid, gid, detached,
      input, limit, timeout, killSignal ?? undefined,
    );
    const abort = () => native.cancel(runtime, id);
    if (id < 0) {
      settle({ error: id, reason: 'spawn', status: null, signal: null, output: null, durationMs: 0 });
      return;
    }
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** The same by execFile(), where somebody is to see a ChildProcess. */
function runOnLoop(file, args, options, input) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = execFileOnLoop(file, args, options, (error, stdout, stderr) => {
      const { exitCode, signalCode: signal } = child;
      const durationMs = performance.now() - begun;
      const result = { stdout, stderr, exitCode: exitCode < 0 ? null : exitCode, signal, durationMs, resourceUsage: null };
      if (error) reject(Object.assign(error, result));
      else resolve(result);
    });
    // A command need not read all of its input.
    child.stdin?.on('error', () => {}).end(input);
  });
}

function isText(encoding) {
  return encoding !== 'buffer' && Buffer.isEncoding(encoding);
}

function describe(outcome, encoding, maxBuffer) {
  const decode = (bytes = Buffer.alloc(0)) => (isText(encoding) ? bytes.toString(encoding) : bytes);
  const { status, signal, durationMs, userCPUTime, systemCPUTime, maxRSS } = outcome;
  const output = (index) => decode(outcome.output?.[index]?.subarray(0, maxBuffer));
  return {
    stdout: output(STDOUT),
    stderr: output(STDERR),
    exitCode: status,
    signal,
    durationMs,
    resourceUsage: outcome.output ? { userCPUTime, systemCPUTime, maxRSS } : null,
  };
}

/** The error of a run that failed: the same that exec's callback gets. */
function failure({ error, reason, tooLong }, result, { normalized, command, signal }) {
  const { file, args } = normalized;
  switch (reason) {
    case 'cancelled':
      return new AbortError({ cause: signal.reason });
    case 'tooLong':
      return tooMuchOutput(NAMES[tooLong]);
    case 'spawn':
    case 'wait':
      return Object.assign(errnoError(error, `${reason} ${file}`), { path: file, spawnargs: copy(args, 1) });
    case 'read':
    case 'write': {
      const failed = errnoError(error, reason);
      if (reason === 'read' || !UNREAD.has(failed.code)) return failed;
    }
  }
  const isTimedOut = reason === 'timedOut';
  if (result.exitCode === 0 && !isTimedOut) return null;
  const failed = new Error(`Command failed: ${command}\n${result.stderr}`);
  return Object.assign(failed, { code: result.exitCode, killed: isTimedOut });
}

/**
 * The lines that `file` writes, one by one as they come, without their line ends. The command is held back while nobody
 * asks for more, and killed when the loop is left. A command that fails throws after its last line.
 */
async function* lines(file, args, options) {
  const call = normalizeCall(file, args, options);
  const { encoding = 'utf8', ...rest } = call.options;
  const child = spawn(call.file, call.args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', (code, signal) => resolve({ code, signal })));
  // It may fail while nobody waits for it, and more than once.
  ended.catch(() => {});
  child.on('error', () => {});
  // Out of descriptors: there are no streams.
  if (!child.stdout) await ended;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (stderr.length < DEFAULTS.maxBuffer) stderr += text;
  });
  try {
    yield* splitLines(child.stdout, encoding);
    const { code, signal } = await ended;
    if (code === 0) return;
    const command = join(concat([call.file], call.args), ' ');
    const message = `Command failed: ${command}\n${stderr}`;
    throw Object.assign(new Error(message), { code, exitCode: code, signal, killed: child.killed, cmd: command, stderr });
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill();
    child.stdout.destroy();
  }
}

async function* splitLines(stream, encoding) {
  const decoder = new StringDecoder(encoding);
  let rest = '';
  for await (const chunk of stream) {
    const parts = decoder.write(chunk).split('\n');
    rest += parts[0];
    for (let i = 1; i < parts.length; i++) {
      yield withoutReturn(rest);
      rest = parts[i];
    }
  }
  rest += decoder.end();
  if (rest !== '') yield withoutReturn(rest);
}

function withoutReturn(line) {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** A template tag that runs with `options`; called with options, it gives a tag that has them. */
function tag(start, options = {}) {
  return (strings, ...values) => {
    if (!Array.isArray(strings?.raw)) return tag(start, { ...options, ...strings });
    return start(strings, values, options);
  };
}

/** $`ls -l ${path}`: each interpolation is exactly one argument, an array several; no shell is involved. */
const $ = tag(async (strings, values, options) => {
  const command = words(strings, values);
  return execFile(command[0], copy(command, 1), options);
});

/** sh`ls -l ${path} | wc -l`: a shell reads it, with each interpolation quoted. */
const sh = tag(async (strings, values, options) => exec(shellWords(strings, values), options));

module.exports = { $, exec, execFile, lines, sh };
