'use strict';

// exec() and execFile(): a child whose outputs are captured natively and passed to a callback. If the program accesses
// a stream, it gets one, and what that brings is captured here.

const { append, copy, join } = require('../common/arrays');
const { builtin, isHooked } = require('../builtin/originals');
const { closeOne, streamsOf } = require('../process/child');
const { nextTick } = require('../common/clock');
const exported = require('../builtin/exported');
const { host } = require('../process/hooks');
const { native } = require('../addon/runtime');
const { launch } = require('../process/spawn');

const STDOUT = 1;
const STDERR = 2;

/** Calls `body(index)` for stdout and for stderr. */
function forBoth(body) {
  body(STDOUT);
  body(STDERR);
}

/** Runs `file` and passes its output to `callback` (Node.js documentation, «child_process.execFile»). */
function execFile(file, args, options, callback) {
  if (isHooked()) return builtin.execFile(file, args, options, callback);
  const { child, handle } = launch('execFile', [file, args, options, callback], (handle) => {
    return native.execFile(file, args, options, callback, handle);
  });
  new PendingCall(child, handle);
  return child;
}

/** A call of execFile() until its callback is called: when the child has closed, or with the first error. */
class PendingCall {
  #child;
  #handle;
  #streams;
  // What streams have brought, by descriptor.
  #streamed = { __proto__: null };
  // Both outputs, once the child has ended in success and no stream was needed.
  #outputs;
  #waits = false;
  #isOver = false;

  constructor(child, handle) {
    this.#child = child;
    this.#handle = handle;
    this.#streams = streamsOf.get(child);
    handle.pendingCall = this;
    if (handle.captures) this.#awaitCapture();
    else this.#readStreams();
    child.addListener('close', (code, signal) => this.#finish({ code, signal }));
    child.addListener('error', (error) => this.#fail(error));
  }

  #awaitCapture() {
    if (!this.#streams || this.#handle.pid === undefined) return;
    this.#child._closesNeeded++;
    this.#waits = true;
    forBoth((index) => this.#streams.capture(index, (stream, captured) => this.#read(index, stream, captured)));
  }

  /** Somebody has seen the child before, and may have replaced its streams or be reading them. */
  #readStreams() {
    forBoth((index) => {
      const stream = index === STDOUT ? this.#child.stdout : this.#child.stderr;
      if (stream) this.#read(index, stream, this.#handle.stopCapture(index));
    });
  }

  /** The child has ended, and no more will be captured natively. */
  onEnd(outputs) {
    this.#outputs = outputs;
    this.#endWait();
  }

  /** Kills the child, for its timeout or `maxBuffer`. */
  kill(signal) {
    this.#destroyOutputs();
    try {
      this.#child.kill(signal);
    } catch (error) {
      this.#finish({ error });
    }
  }

  #destroyOutputs() {
    this.#streams?.destroyOutputs();
    forBoth((index) => this.#streamed[index]?.stream.destroy());
  }

  #endWait() {
    if (!this.#waits) return;
    this.#waits = false;
    closeOne(this.#child);
  }

  /** Captures what a stream brings, after `begun`. The program may read the stream, too, and then misses `begun`. */
  #read(index, stream, { begun, encoding, maxBuffer }) {
    const output = { stream, encoding, maxBuffer, chunks: [], length: 0 };
    if (!this.#outputs) this.#streamed[index] = output;
    if (encoding) stream.setEncoding(encoding);
    // The decoder of the stream keeps the first bytes of a character whose last bytes are still to come.
    if (begun.length > 0) this.#add(index, output, encoding ? stream._readableState.decoder.write(begun) : begun);
    stream.on('data', (chunk) => this.#add(index, output, chunk));
  }

  #add(index, output, chunk) {
    const { maxBuffer, stream } = output;
    const { readableEncoding } = stream;
    const length = readableEncoding ? Buffer.byteLength(chunk, readableEncoding) : chunk.length;
    output.length += length;
    if (output.length > maxBuffer) {
      append(output.chunks, chunk.slice(0, maxBuffer - (output.length - length)));
      this.#handle.cutOutput(index);
    } else {
      append(output.chunks, chunk);
    }
  }

  #streamedOutput(index) {
    const output = this.#streamed[index];
    if (!output) return this.#outputs?.[index - STDOUT];
    const isText = output.encoding || output.stream.readableEncoding;
    return isText ? join(output.chunks, '') : Buffer.concat(output.chunks);
  }

  #fail(error) {
    this.#destroyOutputs();
    this.#finish({ error });
  }

  #finish(end) {
    if (this.#isOver) return;
    this.#isOver = true;
    // Later, as a stream would close. If the child still runs, its exit ends the wait.
    if (!this.#child._handle) nextTick(() => this.#endWait());
    forBoth((index) => this.#streams?.endCapture(index));
    const { call } = this.#handle;
    const callback = call[0];
    if (this.#outputs && end.code === 0 && end.signal === null) {
      callback?.(null, this.#outputs[0], this.#outputs[1]);
      return;
    }
    const outputs = { stdout: this.#streamedOutput(STDOUT), stderr: this.#streamedOutput(STDERR) };
    const result = this.#handle.finish(call, { ...end, ...outputs });
    if (!callback) return;
    const error = result[0];
    if (error !== null) error.cmd = result[3];
    callback(error, result[1], result[2]);
  }
}

/**
 * Runs a command line in a shell and passes its output to `callback` (Node.js documentation, «child_process.exec»).
 * Never put user input into the command: a shell reads it. execFile() takes arguments as they are.
 */
function exec(command, options, callback) {
  // Throws.
  if (typeof command !== 'string' || command.includes('\0')) native.exec(command, undefined, undefined, host);
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  const shellOptions = { __proto__: null, ...options };
  shellOptions.shell = typeof shellOptions.shell === 'string' ? shellOptions.shell : true;
  return exported.current.execFile(command, shellOptions, callback);
}

/** What util.promisify makes of `run`: a function that returns a promise of both outputs, with the child. */
function promising(run) {
  return (...args) => {
    const { promise, resolve, reject } = withResolvers();
    const call = copy(args);
    append(call, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(Object.assign(error, { stdout, stderr }));
    });
    promise.child = Reflect.apply(run, undefined, call);
    return promise;
  };
}

/** @returns {any} */
function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
}

module.exports = { exec, execFile, promised: { exec: promising(exec), execFile: promising(execFile) } };
