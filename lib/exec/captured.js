'use strict';

// A command whose outputs are captured natively: a stream is created only if it is accessed. Has the same methods and
// calls the same events as Streamed (lib/exec/streamed.js).

const { includes, map } = require('../common/arrays');
const { nextTick } = require('../common/clock');
const { errnoError, programError } = require('../common/errors');
const { inheritsEnvironment } = require('../process/environment');
const { hooks, host } = require('../process/hooks');
const { native, numbers, reportThrown, shapeOf } = require('../addon/runtime');
const { pipesOf, statusOf } = require('../process/started');
const { Streams, borrow } = require('../process/streams');

const OUTPUTS = [1, 2];
// Encodings whose characters are whole where both outputs are put together natively.
const INTERLEAVED = ['utf8', 'buffer'];

const ignore = () => {};

class Captured extends shapeOf(native.Process) {
  #events;
  #outputs;
  #streams = null;
  #openStreams = 0;
  #isCapturing = true;
  #hasAll;
  #isClosed = false;
  #ending = null;
  #failure = null;
  // What has been captured, by descriptor; at 0, both in the order in which they came.
  #captured = null;
  pid = undefined;
  pipes = undefined;
  inheritsEnvironment = inheritsEnvironment();

  /** Starts it. `outputs`: by descriptor, what reads its stream if that is accessed. `events`: see Streamed. */
  constructor({ file, args, options, limits, outputs, hasAll }, events) {
    super();
    this.#events = events;
    this.#outputs = outputs;
    options.encoding = limits.encoding;
    options.maxBuffer = limits.maxBuffer;
    this.#hasAll = hasAll && includes(INTERLEAVED, limits.encoding);
    if (this.#hasAll) options.all = true;
    const started = /** @type {number} */ (native.capture(file, args, options, ignore, this));
    this.pipes ??= pipesOf(started);
    const status = statusOf(started);
    if (status < 0) {
      this.#fail(status, 'spawn');
      return;
    }
    this.pid = status;
    const { borrowed } = this;
    if (borrowed) map(borrowed, borrow);
  }

  /** The stream of a descriptor, created on first access; null if it is not a pipe. */
  stream(index) {
    return (this.#streams ??= this.#makeStreams()).get(index);
  }

  get stdio() {
    return (this.#streams ??= this.#makeStreams()).all();
  }

  #makeStreams() {
    const streams = new Streams(this, this.pipes, (socket) => this.#awaitClose(socket));
    map(OUTPUTS, (index) => {
      const output = this.#isCapturing && this.#outputs[index];
      if (output) streams.capture(index, (socket, taken) => output.attach(socket, taken.begun));
    });
    if (this.#ending !== null) streams.settle();
    return streams;
  }

  /** Sends a signal. Returns whether it was sent. */
  send(signal) {
    const errno = super.kill(signal === 0 ? 0 : native.signalNumber(signal, host));
    if (-errno === numbers.EINVAL || -errno === numbers.ENOSYS) throw errnoError(errno, 'kill');
    return errno === 0;
  }

  /** What has been captured natively of an output, or at 0 of both: text in the encoding of the call, or a Buffer. */
  captured(index) {
    return this.#captured?.[index];
  }

  /** Whether both in the order in which they came are captured natively. */
  get hasAll() {
    return this.#hasAll;
  }

  /** Closes the outputs, which others may hold open after the end of the process. */
  closeOutputs() {
    if (this.#isCapturing) this.#take(null);
    this.#streams?.destroyOutputs();
    this.#close();
  }

  /** For lib/process/streams.js. */
  inLaunchContext(body) {
    return body();
  }

  #awaitClose(socket) {
    this.#openStreams++;
    socket.once('close', () => {
      this.#openStreams--;
      this.#close();
    });
  }

  #fail(errno, syscall) {
    this.pid = undefined;
    const error = programError(errno, syscall, this.spawnfile, this.spawnargs);
    this.closePipes();
    nextTick(() => this.#events.onFailure(error));
  }

  /** `outputs`: stdout and stderr; null if the native side has to be asked for them, because something went wrong. */
  #take(outputs) {
    this.#isCapturing = false;
    if (outputs !== null) {
      this.#captured = [outputs[2], outputs[0], outputs[1]];
      return;
    }
    const result = this.finish(this.call, this.#ending ?? {});
    const error = result[0];
    this.#captured = [result[4], result[1], result[2]];
    // An exit code is no error here.
    if (error?.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return;
    if (error?.syscall || error?.code === 'ERR_STRING_TOO_LONG') this.#failure = error;
  }

  #close() {
    if (this.#ending === null || this.#isCapturing || this.#openStreams > 0) return;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.onClose(this.#failure);
  }

  // Called by the native side.

  onexit(code, signal, syscall, outputs) {
    reportThrown(() => {
      this.#ending = { code, signal };
      this.#streams?.endInput();
      if (code < 0) {
        this.#take(null);
        this.#fail(code, syscall);
        return;
      }
      if (outputs !== undefined) this.#take(outputs);
      this.#events.onExit(signal === null ? code : null, signal);
      if (this.#streams !== null) nextTick(() => this.#streams.settle());
      this.#close();
    });
  }

  onend(outputs) {
    reportThrown(() => {
      if (this.#isCapturing) this.#take(outputs);
      this.#close();
    });
  }

  onkill() {
    reportThrown(() => this.#events.onTooLong());
  }
}

// For the native functions.
Captured.prototype.hooks = hooks;

module.exports = { Captured };
