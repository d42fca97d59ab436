'use strict';

// Commands as promises. Nothing of a run happens on the event loop but its beginning and its end: it is launched, fed,
// read and reaped on the one thread of the native side.

const { StringDecoder } = require('node:string_decoder');
const { concat, copy, join } = require('./arrays');
const { isWatched } = require('./child');
const { exec: execOnLoop, execFile: execFileOnLoop } = require('./exec');
const { hooks } = require('./hooks');
const { native, told } = require('./runtime');
const { spawn } = require('./spawn');
const { shellWords, words } = require('./template');

/** How much of what a command complains of is kept, characters. */
const MAX_COMPLAINT = 1024 * 1024;

/** Runs `file` with `args`, no shell involved. */
async function execFile(file, args, options) {
  const given = Array.isArray(args) ? options : (args ?? options);
  if (isWatched()) return runOnLoop((done) => execFileOnLoop(file, args, options, done), given);
  return run((events) => native.run(file, args, options, events), given);
}

/** Runs a command line in a shell. Never put user input into it: `sh` and `$` quote what they are given. */
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

/** The same by exec() or execFile(), where somebody is to see a ChildProcess. */
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
    // A command need not read all of its input.
    child.stdin?.on('error', () => {}).end(bytes);
  });
}

/**
 * The lines that `file` writes, one by one as they come, without their line ends. The command is held back while nobody
 * asks for more, and killed when the loop is left. A command that fails throws after its last line.
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
  // It may fail while nobody waits for it, and more than once.
  ended.catch(() => {});
  child.on('error', () => {});
  // Out of descriptors: there are no streams.
  if (!child.stdout) await ended;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (stderr.length < MAX_COMPLAINT) stderr += text;
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
