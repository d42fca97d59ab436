'use strict';

// The parent's ends of a child's pipes. Each is a net.Socket that is created when the program first accesses it, so a
// program that only waits for the exit pays for none.

const { findIndex, map } = require('../common/arrays');
const { nextTick } = require('../common/clock');
const { loadNet, socketOver } = require('./sockets');

// Streams of this process whose descriptors were given to another child. They must not be drained.
const borrowed = new WeakSet();

/** Stops reading a stream whose descriptor is given to another child. */
function borrow(stream) {
  const candidates = [stream, stream.handle, stream._handle];
  const handle = candidates[findIndex(candidates, (candidate) => typeof candidate?.readStop === 'function')];
  handle.reading = false;
  handle.readStop();
  if (typeof stream.pause !== 'function') return;
  stream.pause();
  stream.readableFlowing = false;
  stream._readableState.reading = false;
  borrowed.add(stream);
}

/** Output proves that the child's exec succeeded: checks that, and so emits 'spawn', before the first 'data' event. */
function confirmBeforeData(socket, handle) {
  Object.defineProperty(socket, 'push', {
    value(chunk, encoding) {
      delete socket.push;
      handle.pollExec();
      return socket.push(chunk, encoding);
    },
    writable: true,
    configurable: true,
  });
}

/** A destroyed stream, for a pipe that is closed already. The arguments say which of its sides had ended before. */
function closedSocket(wasRead, wasWritten) {
  const { Socket } = loadNet();
  const socket = new Socket();
  const { _readableState: reading, _writableState: writing } = socket;
  reading.ended = wasRead;
  reading.endEmitted = wasRead;
  writing.ending = wasWritten;
  writing.ended = wasWritten;
  writing.finished = wasWritten;
  return socket.destroy();
}

class Streams {
  #handle;
  #pipes;
  #made = [];
  #onClose;
  // What to call if the stream of a captured output is accessed, by descriptor.
  #captures = [];
  // Whether each stream has been destroyed, or must be as soon as it is created.
  #givenUp = [];
  #confirmFirst = false;
  #settled = false;

  /** `pipes`: a `p` for each descriptor that is a pipe. `onClose(socket)` is called for each output's stream. */
  constructor(handle, pipes, onClose) {
    this.#handle = handle;
    this.#pipes = pipes;
    this.#onClose = onClose;
  }

  get length() {
    return this.#pipes.length;
  }

  isPipe(index) {
    return this.#pipes[index] === 'p';
  }

  /** Whether any pipe has neither a stream nor is captured. */
  get hasUntouched() {
    for (let index = 0; index < this.length; index++) {
      if (this.isPipe(index) && !this.#made[index] && !this.#captures[index]) return true;
    }
    return false;
  }

  /**
   * An output is captured natively. If the program accesses the stream after all, the capture ends, and
   * `onStream(socket, captured)` is called with what the native method `stopCapture` has returned.
   */
  capture(index, onStream) {
    this.#captures[index] = onStream;
  }

  /** The output has been passed on. */
  endCapture(index) {
    this.#captures[index] = undefined;
  }

  /** The stream of descriptor `index`, created on first access; null if the descriptor is not a pipe. */
  get(index) {
    if (!this.isPipe(index)) return null;
    return (this.#made[index] ??= this.#make(index));
  }

  /** The streams of all descriptors. */
  all() {
    return map(this.#pipes, (_, index) => this.get(index));
  }

  #make(index) {
    const onStream = this.#captures[index];
    // A captured output that has been given up stays captured, up to there.
    if (onStream ? this.#givenUp[index] : this.#settled) return this.#closed(index);
    this.#captures[index] = undefined;
    const captured = onStream && this.#handle.stopCapture(index);
    const fd = this.#handle.takePipe(index);
    if (fd === -1 && !onStream) return this.#closed(index);
    const socket = this.#handle.inLaunchContext(() => {
      // Not writable: on Node 20 the writable side of a socket without a handle never finishes.
      return fd === -1 ? new (loadNet().Socket)({ writable: false }) : socketOver(fd, { readable: index > 0 });
    });
    // Before the calls, which may ask for it.
    this.#made[index] = socket;
    if (index > 0) this.#onClose(socket);
    onStream?.(socket, captured);
    if (captured?.isLast) nextTick(() => this.#handle.onend(null));
    if (this.#givenUp[index]) return socket.destroy();
    if (socket._handle === null) socket.push(null);
    if (this.#confirmFirst && index > 0) confirmBeforeData(socket, this.#handle);
    return socket;
  }

  /** An input was never read from. An output has ended on both sides, unless it was given up. */
  #closed(index) {
    const wasWritten = index > 0 && !this.#givenUp[index];
    return closedSocket(index === 0 || wasWritten, wasWritten);
  }

  /** From now on, emits 'spawn' before any 'data' event. */
  confirmFirst() {
    this.#confirmFirst = true;
    for (let index = 1; index < this.length; index++) {
      if (this.#made[index]) confirmBeforeData(this.#made[index], this.#handle);
    }
  }

  /** Destroys the child's input, which nothing reads any more. */
  endInput() {
    this.#giveUp(0);
  }

  /** Destroys the outputs. */
  destroyOutputs() {
    for (let index = 1; index < this.length; index++) this.#giveUp(index);
  }

  #giveUp(index) {
    this.#givenUp[index] = true;
    this.#made[index]?.destroy();
  }

  /** The child has exited: resumes the streams that were created and are not being read, so that they can end. */
  settle() {
    this.#settled = true;
    for (let index = 0; index < this.#made.length; index++) {
      const socket = this.#made[index];
      if (socket?.readable && !borrowed.has(socket)) socket.resume();
    }
  }
}

module.exports = { Streams, borrow };
