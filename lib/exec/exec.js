'use strict';

// exec() and execFile(): a child whose outputs are collected natively and handed over once. If the program accesses a
// stream, it gets a live one, and what that brings is collected here.

const { promisify } = require('node:util');
const { append, copy, join } = require('../common/arrays');
const { builtin, isHooked } = require('../builtin/originals');
const { closeOne, streamsOf } = require('../process/child');
const { nextTick } = require('../common/clock');
const exported = require('../builtin/exported');
const { host } = require('../process/hooks');
const { native } = require('../addon/runtime');
const { launch } = require('../process/spawn');
const { MAJOR } = require('../common/version');

const STDOUT = 1;
const STDERR = 2;

/** Runs `file` and hands over its output (Node.js documentation, «child_process.execFile»). */
function execFile(file, args, options, callback) {
  if (isHooked()) return builtin.execFile(file, args, options, callback);
  const child = launch('execFile', [file, args, options, callback], (handle) => {
    return native.execFile(file, args, options, callback, handle);
  });
  new Execution(child);
  return child;
}

/** One run of a command: its callback is called when the child has closed, or with its first error. */
class Execution {
  #child;
  #handle;
  #streams;
  // By descriptor: what the streams that the program touches bring.
  #heard = { __proto__: null };
  // The callback and its arguments, once they are known; null: they are to be asked for.
  #outcome;
  #waits = false;
  #isOver = false;

  constructor(child) {
    this.#child = child;
    this.#handle = child._handle;
    this.#streams = streamsOf.get(child);
    this.#handle.execution = this;
    if (this.#streams && this.#handle.pid !== undefined) {
      child._closesNeeded++;
      this.#waits = true;
      for (let index = STDOUT; index <= STDERR; index++) {
        if (!this.#streams.isPipe(index)) continue;
        this.#streams.gather(index, (socket, begun) => this.#hear(index, socket, begun));
      }
    }
    child.addListener('close', (code, signal) => this.#finish({ code, signal }));
    child.addListener('error', (error) => this.#fail(error));
  }

  /** No more will be gathered natively, and the child has ended. */
  onEnd(outcome) {
    this.#outcome = outcome;
    this.#endWait();
  }

  /** The child has been killed for its timeout or `maxBuffer`; or could not be, because of `failure`. */
  onKilled(failure) {
    if (failure === undefined) this.#streams?.destroyOutputs();
    else this.#fail(failure);
  }

  #endWait() {
    if (!this.#waits) return;
    this.#waits = false;
    closeOne(this.#child);
  }

  /** The program reads along: from now on the stream is the one to be heard. What came before, it does not hear. */
  #hear(index, socket, { begun, encoding, maxBuffer }) {
    const output = { socket, chunks: [], length: 0, maxBuffer };
    if (!this.#outcome) this.#heard[index] = output;
    if (encoding) socket.setEncoding(encoding);
    // The stream's decoder keeps the first bytes of a character whose last are still to come.
    if (begun.length > 0) this.#add(index, output, encoding ? socket._readableState.decoder.write(begun) : begun);
    socket.on('data', (chunk) => this.#add(index, output, chunk));
  }

  #add(index, output, chunk) {
    const { maxBuffer, socket } = output;
    const { readableEncoding } = socket;
    const length = readableEncoding ? Buffer.byteLength(chunk, readableEncoding) : chunk.length;
    output.length += length;
    if (output.length > maxBuffer) {
      append(output.chunks, chunk.slice(0, maxBuffer - (output.length - length)));
      this.#handle.cutOutput(index);
    } else {
      append(output.chunks, chunk);
    }
  }

  #take(index) {
    const output = this.#heard[index];
    if (!output) return undefined;
    return output.socket.readableEncoding ? join(output.chunks, '') : Buffer.concat(output.chunks);
  }

  #fail(error) {
    this.#streams?.destroyOutputs();
    this.#finish({ error });
  }

  #finish(end) {
    if (this.#isOver) return;
    this.#isOver = true;
    const outputs = { stdout: this.#take(STDOUT), stderr: this.#take(STDERR) };
    const outcome = this.#outcome ?? this.#handle.finish({ ...end, ...outputs });
    for (let index = STDOUT; index <= STDERR; index++) this.#streams?.ungather(index);
    // Later, as a stream would tell it; where the child lives on, its exit does.
    if (!this.#child._handle) nextTick(() => this.#endWait());
    const callback = outcome[0];
    if (typeof callback === 'function') callback(end.error ?? outcome[1], outcome[2], outcome[3]);
  }
}

/**
 * Runs a command line in a shell and hands over its output (Node.js documentation, «child_process.exec»). Never put
 * user input into the command: a shell reads it. execFile() takes arguments as they are.
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

/** What util.promisify makes of `run`: a promise of both outputs, with the child. */
function promising(run) {
  const start = (args) => {
    const { promise, resolve, reject } = withResolvers();
    const call = copy(args);
    append(call, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(Object.assign(error, { stdout, stderr }));
    });
    promise.child = Reflect.apply(run, undefined, call);
    return promise;
  };
  if (MAJOR < 22) return (...args) => start(args);
  const promised = function (...args) {
    return start(args);
  };
  return Object.defineProperty(promised, 'name', { value: run.name });
}

/** @returns {any} */
function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
}

Object.defineProperty(exec, promisify.custom, { value: promising(exec), enumerable: false });
Object.defineProperty(execFile, promisify.custom, { value: promising(execFile), enumerable: false });

module.exports = { exec, execFile };
