'use strict';

// A command whose outputs are gathered natively: no stream is created unless somebody asks for it. Has the same methods
// and calls the same events as Streamed (lib/exec/streamed.js).

const { copy, map } = require('../common/arrays');
const { nextTick } = require('../common/clock');
const { errnoError } = require('../common/errors');
const { inheritsEnvironment } = require('../process/environment');
const { hooks, host } = require('../process/hooks');
const { native, numbers, runtime, shapeOf, tell } = require('../addon/runtime');
const { Streams, borrow } = require('../process/streams');

const OUTPUTS = [1, 2];

const ignore = () => {};

class Gathered extends shapeOf(native.Process) {
  #events;
  // What the native function returned: the pid or an errno, the file, its arguments, which descriptors are pipes, and
  // what `finish` takes.
  #started;
  #outputs;
  #streams = null;
  #openStreams = 0;
  #isGathering = true;
  #isClosed = false;
  #ending = null;
  #failure = null;
  // What has been gathered, by descriptor.
  #gathered = null;
  pid = undefined;
  inheritsEnvironment = inheritsEnvironment();

  /** Starts it. `outputs`: by descriptor, what takes over if its stream is asked for. `events`: see Streamed. */
  constructor({ file, args, options, limits, outputs }, events) {
    super();
    this.#events = events;
    this.#outputs = outputs;
    options.encoding = limits.encoding;
    options.maxBuffer = limits.maxBuffer;
    this.#started = native.spawnCaptured(file, args, options, ignore, this);
    const status = this.#started[0];
    if (status < 0) {
      this.#fail(status, 'spawn');
      return;
    }
    this.pid = status;
    const { borrowed } = /** @type {any} */ (this);
    if (borrowed) map(borrowed, borrow);
  }

  /** The stream of a descriptor, created when it is first asked for; null if it is not a pipe. */
  stream(index) {
    return (this.#streams ??= this.#makeStreams()).get(index);
  }

  get stdio() {
    return map(this.#started[3], (_, index) => this.stream(index));
  }

  #makeStreams() {
    const streams = new Streams(this, this.#started[3], (socket) => this.#awaitClose(socket));
    map(OUTPUTS, (index) => {
      const output = this.#isGathering && this.#outputs[index];
      if (output) streams.capture(index, (socket, captured) => output.attach(socket, captured.begun));
    });
    if (this.#ending !== null) streams.settle();
    return streams;
  }

  /** Sends a signal; whether it was sent. */
  send(signal) {
    const errno = super.kill(signal === 0 ? 0 : native.signalNumber(signal, host));
    if (-errno === numbers.EINVAL || -errno === numbers.ENOSYS) throw errnoError(errno, 'kill');
    return errno === 0;
  }

  /** What has been gathered natively of an output: text in the encoding of the call, or a Buffer. */
  gathered(index) {
    return this.#gathered?.[index];
  }

  /** Closes the outputs, which others may hold open after the end of the process. */
  closeOutputs() {
    if (this.#isGathering) this.#take(null);
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
    const file = this.#started[1];
    const args = this.#started[2];
    this.pid = undefined;
    const error = Object.assign(errnoError(errno, `${syscall} ${file}`), { path: file, spawnargs: copy(args, 1) });
    this.closePipes();
    nextTick(() => this.#events.onFailure(error));
  }

  /** The outcome of the native side: null where it is to be asked for. */
  #take(outcome) {
    this.#isGathering = false;
    if (outcome !== null) {
      this.#gathered = [undefined, outcome[0], outcome[1]];
      return;
    }
    const all = this.finish(this.#started[4], this.#ending);
    const error = all[0];
    this.#gathered = [undefined, all[1], all[2]];
    // An exit code is no error here.
    if (error?.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return;
    if (error?.syscall || error?.code === 'ERR_STRING_TOO_LONG') this.#failure = error;
  }

  #close() {
    if (this.#ending === null || this.#isGathering || this.#openStreams > 0) return;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.onClose(this.#failure);
  }

  // Called by the native side.

  onexit(code, signal, syscall, outcome) {
    tell(() => {
      this.#ending = { code, signal };
      this.#streams?.endInput();
      if (code < 0) {
        this.#take(null);
        this.#fail(code, syscall);
        return;
      }
      if (outcome !== undefined) this.#take(outcome);
      this.#events.onExit(signal === null ? code : null, signal);
      if (this.#streams !== null) nextTick(() => this.#streams.settle());
      this.#close();
    });
  }

  onend(outcome) {
    tell(() => {
      if (this.#isGathering) this.#take(outcome);
      this.#close();
    });
  }

  onkill() {
    tell(() => this.#events.onTooLong());
  }
}

// For the native functions.
Gathered.prototype.hooks = hooks;
Gathered.prototype.runtime = runtime;
Gathered.prototype.keysOf = Object.keys;

module.exports = { Gathered };
