'use strict';

// The parent's ends of a child's pipes: real net.Sockets, each made when the program first touches it. A program that
// only waits for the exit pays for none of them.

const net = require('node:net');
const { findIndex } = require('./arrays');
const { socketOver } = require('./sockets');

// Streams of this process that a child reads or writes now: they are not ours to drain.
const borrowed = new WeakSet();

/** Stops reading a stream of ours whose descriptor a child got. */
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

/** What a child writes proves that its exec succeeded: 'spawn' is emitted before the first of it is. */
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

/** The stream of a pipe that is closed already; which of its sides had come to their end first. */
function closedSocket(wasRead, wasWritten) {
  const socket = new net.Socket();
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
  #gatherers = new Map();
  // Those that are destroyed, or will be as soon as they are made.
  #givenUp = [];
  #confirmFirst = false;
  #settled = false;

  /** `pipes`: which of the descriptors are pipes. `onClose` hears of each output stream that is made. */
  constructor(handle, pipes, onClose) {
    this.#handle = handle;
    this.#pipes = pipes;
    this.#onClose = onClose;
  }

  get length() {
    return this.#pipes.length;
  }

  isPipe(index) {
    return this.#pipes[index];
  }

  /** Whether any pipe has not been touched, nor is gathered. */
  get hasUntouched() {
    for (let index = 0; index < this.length; index++) {
      if (this.isPipe(index) && !this.#made[index] && !this.#gatherers.has(index)) return true;
    }
    return false;
  }

  /** Leaves an output to be gathered; `gatherer(socket, begun)` hears of it when the program touches the stream. */
  gather(index, gatherer) {
    this.#gatherers.set(index, gatherer);
  }

  /** Takes `gather` back: what was gathered has been handed over. */
  ungather(index) {
    this.#gatherers.delete(index);
  }

  /** The stream of descriptor `index`, made now if it wasn't; null where there is none. */
  get(index) {
    if (!this.#pipes[index]) return null;
    return (this.#made[index] ??= this.#make(index));
  }

  #make(index) {
    const gatherer = this.#gatherers.get(index);
    if (this.#settled && !gatherer) return this.#closed(index);
    this.#gatherers.delete(index);
    const begun = gatherer && this.#handle.takeOutput(index);
    const fd = this.#handle.takePipe(index);
    if (fd === -1 && !gatherer) return this.#closed(index);
    const socket = this.#handle.inLaunchContext(() => {
      // Not writable: on Node 20 the writable side of a socket without a handle never finishes.
      return fd === -1 ? new net.Socket({ writable: false }) : socketOver(fd, { readable: index > 0 });
    });
    if (index > 0) this.#onClose(socket);
    gatherer?.(socket, begun);
    if (this.#givenUp[index]) return socket.destroy();
    if (socket._handle === null) socket.push(null);
    if (this.#confirmFirst && index > 0) confirmBeforeData(socket, this.#handle);
    return socket;
  }

  /** The input was never read from; an output that was not given up has ended, and its other side with it. */
  #closed(index) {
    const wasWritten = index > 0 && !this.#givenUp[index];
    return closedSocket(index === 0 || wasWritten, wasWritten);
  }

  /** From now on the exec is confirmed before any output is seen. */
  confirmFirst() {
    this.#confirmFirst = true;
    for (let index = 1; index < this.length; index++) {
      if (this.#made[index]) confirmBeforeData(this.#made[index], this.#handle);
    }
  }

  /** Gives up the child's input: nobody reads it any more. */
  endInput() {
    this.#giveUp(0);
  }

  /** Gives up the outputs. */
  destroyOutputs() {
    for (let index = 1; index < this.length; index++) this.#giveUp(index);
  }

  #giveUp(index) {
    this.#givenUp[index] = true;
    this.#made[index]?.destroy();
  }

  /** The child has ended: drains what was touched and left unread. */
  settle() {
    this.#settled = true;
    for (let index = 0; index < this.#made.length; index++) {
      const socket = this.#made[index];
      if (socket?.readable && !borrowed.has(socket)) socket.resume();
    }
  }
}

module.exports = { Streams, borrow };
