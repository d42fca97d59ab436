'use strict';

// Where a command reads from and writes to: from the options stdin, stdout, stderr, stdio and input to what spawn()
// takes, and to what this process has to read and write for it.

const { append, includes, map } = require('../common/arrays');
const { hooks, invalidType } = require('../common/errors');
const { pathOf } = require('./options');

const NAMES = ['stdin', 'stdout', 'stderr'];
const MODES = ['pipe', 'inherit', 'ignore'];
// The handles of Node that a child can have.
const HANDLES = ['Pipe', 'TCP', 'TTY'];

const INPUT = 'bytes, { file: path }, a stream or an iterable';

const ignore = () => {};

const isFile = (value) => typeof value?.file === 'string' || value?.file instanceof URL;
const isWritable = (value) => typeof value?.write === 'function' && typeof value.on === 'function';
const isIterable = (value) => typeof value?.[Symbol.asyncIterator] === 'function' || isSyncIterable(value);
/** A string or bytes: nothing that has to be read first. */
const isWhole = (value) => typeof value === 'string' || ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
const isSyncIterable = (value) => typeof value === 'object' && typeof value?.[Symbol.iterator] === 'function';

/** Whether a child can have the stream itself. */
function hasDescriptor(stream) {
  if (typeof stream?.on !== 'function') return false;
  return (typeof stream.fd === 'number' && stream.fd >= 0) || includes(HANDLES, stream._handle?.constructor?.name);
}

/** Those of a command with none of these options. */
const USUAL = {
  stdio: ['ignore', 'pipe', 'pipe'],
  input: undefined,
  targets: [[], [], []],
  close() {},
  abandon() {},
};

/** Whether the result has the output `index`. */
function isKept(settings, index) {
  if (!settings.buffer) return false;
  const { stdio } = settings;
  const value = Array.isArray(stdio) ? stdio[index] : (stdio ?? settings[NAMES[index]]);
  return (value ?? 'pipe') === 'pipe' || (Array.isArray(value) && includes(value, 'pipe'));
}

/** The redirections for the options of a command. Throws what opening a file throws, and ERR_INVALID_ARG_TYPE. */
function redirectionsOf(settings) {
  const { input, stderr, stdin, stdio, stdout } = settings;
  return (input ?? stderr ?? stdin ?? stdio ?? stdout) === undefined ? USUAL : new Redirections(settings);
}

/** The redirections of one command. */
class Redirections {
  /** What spawn() takes. */
  stdio;
  /** What is written to the standard input; undefined: nothing. */
  input;
  /** By descriptor: the streams that the output is written to. They end with it, but for those of this process. */
  targets = [[], [], []];
  // By path, what has been opened for the command. It is this process's until the command has been started.
  #opened;
  // Streams to files, of which this process stays the owner.
  #files = [];

  constructor(settings) {
    const { stdio, input } = settings;
    const given = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
    const all = stdio === undefined ? [settings.stdin, settings.stdout, settings.stderr] : given;
    try {
      this.stdio = map(all, (value, index) => this.#redirect(index, value));
      for (let index = this.stdio.length; index < NAMES.length; index++) this.stdio[index] = this.#redirect(index);
      if (input !== undefined) this.stdio[0] = this.#readInput(input);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Closes the files that were opened for the command. */
  close() {
    this.#opened?.forEach((fd) => require('node:fs').closeSync(fd));
    this.#opened = undefined;
  }

  /** Closes all files: the command could not be started. */
  abandon() {
    this.close();
    map(this.#files, (stream) => stream.destroy());
  }

  #redirect(index, value) {
    if (value === undefined || value === null) {
      if (index === 0 || index >= NAMES.length) return 'ignore';
      value = 'pipe';
    }
    if (includes(MODES, value)) {
      return value === 'inherit' ? index : value;
    }
    if (typeof value === 'number' || hasDescriptor(value)) return value;
    if (index === 0) return this.#readStdin(value);
    if (isFile(value)) return this.#open(value.file, value.append ? 'a' : 'w');
    const isOutput = index < NAMES.length;
    if (isOutput && Array.isArray(value)) return this.#fork(index, value);
    if (isOutput && isWritable(value)) {
      append(this.targets[index], value);
      return 'pipe';
    }
    const name = NAMES[index] ?? `stdio[${index}]`;
    const expected = "'pipe', 'inherit', 'ignore', { file: path }, a stream or a descriptor";
    throw invalidType(`options.${name}`, expected, value);
  }

  /** An output with several targets. */
  #fork(index, values) {
    // Nobody would read it.
    if (values.length === 0) throw hooks.invalidValue(`options.${NAMES[index]}`, values, 'must not be empty');
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === 'pipe') continue;
      if (value === 'inherit') {
        append(this.targets[index], index === 1 ? process.stdout : process.stderr);
      } else if (isFile(value)) {
        const flags = value.append ? 'a' : 'w';
        const fd = require('node:fs').openSync(pathOf(value.file), flags);
        const stream = require('node:fs').createWriteStream('', { fd });
        append(this.targets[index], stream);
        append(this.#files, stream);
      } else if (isWritable(value)) {
        append(this.targets[index], value);
      } else {
        const expected = "an array of 'pipe', 'inherit', { file: path } and streams";
        throw invalidType(`options.${NAMES[index]}`, expected, value);
      }
    }
    return 'pipe';
  }

  #readInput(value) {
    if (isFile(value)) return this.#open(value.file, 'r');
    if (!isWhole(value) && !isIterable(value)) throw invalidType('options.input', `a string, ${INPUT}`, value);
    this.input = value;
    return 'pipe';
  }

  /** Strings and arrays are words such as 'inherit', with a mistake in them: they are no input here. */
  #readStdin(value) {
    if (typeof value !== 'string' && !Array.isArray(value)) return this.#readInput(value);
    throw invalidType('options.stdin', `'pipe', 'inherit', 'ignore', a descriptor, ${INPUT}`, value);
  }

  #open(file, flags) {
    const path = pathOf(file);
    // Two outputs that go to one file have one position in it.
    const key = flags === 'r' ? path : `${flags[0]} ${path}`;
    this.#opened ??= new Map();
    if (!this.#opened.has(key)) this.#opened.set(key, require('node:fs').openSync(path, flags));
    return this.#opened.get(key);
  }
}

const bytesOf = (value) => {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value;
};

/**
 * Writes `input` to `stdin`. A command need not read all of it: that is no error. `fail(error)` is called where `input`
 * itself fails. Returns a function that stops it.
 */
function feed(stdin, input, fail) {
  if (isWhole(input)) {
    stdin.end(bytesOf(input));
    return () => {};
  }
  const iterator = (input[Symbol.asyncIterator] ?? input[Symbol.iterator]).call(input);
  let isOver = false;
  const stop = () => {
    if (isOver) return;
    isOver = true;
    // A stream that waits for more does not answer return().
    if (typeof input.destroy === 'function') input.on('error', () => {}).destroy();
    else Promise.resolve(iterator.return?.()).catch(() => {});
  };
  const write = async () => {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      if (isOver) return;
      if (!stdin.write(bytesOf(next.value)) && !stdin.destroyed) await drained(stdin);
      if (stdin.destroyed) return stop();
    }
    isOver = true;
    stdin.end();
  };
  write().catch((error) => {
    if (isOver) return;
    stop();
    fail(error);
  });
  stdin.once('close', stop);
  return stop;
}

/**
 * Writes the outputs to their targets: `targets` and `outputs` are by descriptor. `fail(error)` is called if a target
 * fails. Returns promises that are resolved when each target has everything, or has failed.
 */
function writeTo(targets, outputs, fail) {
  const flushes = [];
  // By stream, how many outputs are still to come.
  const open = new Map();
  const connect = (output, target) => {
    const { stream } = output;
    const destroy = () => stream.destroy();
    if (!open.has(target)) append(flushes, flushed(target, fail));
    open.set(target, (open.get(target) ?? 0) + 1);
    stream.pipe(target, { end: false });
    target.once('close', destroy);
    stream.once('close', () => {
      target.removeListener('close', destroy);
      open.set(target, open.get(target) - 1);
      if (open.get(target) === 0) target.end();
    });
  };
  for (let index = 0; index < targets.length; index++) {
    map(targets[index], (target) => {
      const isOfProcess = target === process.stdout || target === process.stderr;
      if (isOfProcess) outputs[index].follow((chunk) => target.write(chunk), ignore);
      else connect(outputs[index], target);
    });
  }
  return flushes;
}

/** A promise that is resolved when `stream` has been written, or has failed. */
function flushed(stream, fail) {
  return new Promise((resolve) => {
    const stop = () => {
      stream.removeListener('error', failed).removeListener('finish', stop).removeListener('close', stop);
      resolve(undefined);
    };
    const failed = (error) => {
      fail(error);
      stop();
    };
    stream.on('error', failed).on('finish', stop).on('close', stop);
  });
}

/** Resolves when the stream takes more, or none any more. */
function drained(stream) {
  return new Promise((resolve) => {
    const done = () => {
      stream.removeListener('drain', done).removeListener('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

module.exports = { NAMES, bytesOf, drained, feed, isKept, isSyncIterable, isWhole, redirectionsOf, writeTo };
