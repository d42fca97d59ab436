'use strict';

// The promise functions. Only the start and the end of a run happen on the event loop: native code launches the
// command, writes its input, reads its output and reaps it on one background thread.

const { StringDecoder } = require('node:string_decoder');
const { concat, copy, join } = require('../common/arrays');
const { isWatched } = require('../process/child');
const { exec: execOnLoop, execFile: execFileOnLoop } = require('./exec');
const { hooks } = require('../process/hooks');
const { native, told } = require('../addon/runtime');
const { spawn } = require('../process/spawn');
const { shellWords, words } = require('./template');

/** How much of a command's stderr `lines` keeps for its error, characters. */
const MAX_STDERR = 1024 * 1024;

/** Runs `file` with `args`, without a shell. */
async function execFile(file, args, options) {
  const given = Array.isArray(args) ? options : (args ?? options);
  if (isWatched()) return runOnLoop((done) => execFileOnLoop(file, args, options, done), given);
  return run((events) => native.run(file, args, options, events), given);
}

/** Runs a command line in a shell. Never put user input into it; `sh` and `$` quote interpolated values. */
async function exec(command, options) {
  if (isWatched()) return runOnLoop((done) => execOnLoop(command, options, done), options);
  return run((events) => native.runCommand(command, options, events), options);
}

function run(start, options) {
  const signal = options?.signal;
  return new Promise((resolve, reject) => {
    const events = {
      hooks,
      onfinish: told((error, result) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(error);
        else resolve(result);
      }),
    };
    const cancel = start(events);
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** Runs a command with exec() or execFile(), because a patch or a diagnostics channel must see a ChildProcess. */
function runOnLoop(start, options) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = start((error, stdout, stderr) => {
      const { exitCode, signalCode: signal } = child;
      const durationMs = performance.now() - begun;
      const result = {
        stdout,
        stderr,
        exitCode: exitCode < 0 ? null : exitCode,
        signal,
        durationMs,
        resourceUsage: null,
      };
      if (error) reject(Object.assign(error, result));
      else resolve(result);
    });
    const input = options?.input ?? '';
    const bytes = ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : input;
    // A command that does not read all of its input is no error.
    child.stdin?.on('error', () => {}).end(bytes);
  });
}

/**
 * Runs `file` and yields the lines of its output as they come, without line ends. The command is blocked while the
 * consumer does not ask for more lines, and killed when the consumer leaves its loop. If the command fails, this throws
 * after the last line.
 */
async function* lines(file, args, options) {
  if (!Array.isArray(args)) {
    options = args ?? options;
    args = [];
  }
  const { encoding = 'utf8', ...rest } = options ?? {};
  const child = spawn(file, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve, reject) =>
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal })),
  );
  // Avoids an unhandled rejection, and an 'error' event without a listener if there are several.
  ended.catch(() => {});
  child.on('error', () => {});
  // If no descriptors were available, there are no streams, and `ended` is rejected.
  if (!child.stdout) await ended;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (stderr.length < MAX_STDERR) stderr += text;
  });
  try {
    yield* splitLines(child.stdout, encoding);
    const { code, signal } = await ended;
    if (code === 0) return;
    const command = join(concat([file], args), ' ');
    const message = `Command failed: ${command}\n${stderr}`;
    throw Object.assign(new Error(message), {
      code,
      exitCode: code,
      signal,
      killed: child.killed,
      cmd: command,
      stderr,
    });
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

/** A template tag that runs commands with `options`. Called with options, it returns a tag that uses these too. */
function tag(start, options = {}) {
  return (strings, ...values) => {
    if (!Array.isArray(strings?.raw)) return tag(start, { ...options, ...strings });
    return start(strings, values, options);
  };
}

/** $`ls -l ${path}`: each interpolated value is exactly one argument, and an array is several. There is no shell. */
const $ = tag(async (strings, values, options) => {
  const command = words(strings, values);
  return execFile(command[0], copy(command, 1), options);
});

/** sh`ls -l ${path} | wc -l`: runs in a shell, with each interpolated value quoted. */
const sh = tag(async (strings, values, options) => exec(shellWords(strings, values), options));

module.exports = { $, exec, execFile, lines, sh };
