'use strict';

// The parent's ends of a child's pipes: real net.Sockets, each made when the program first touches it. A program that
// only waits for the exit pays for none of them.

const net = require('node:net');

// What `Process.launch` says of a descriptor of the child; 0 is none of ours.
const PIPE = 1;
const BORROWED = 2;

// Streams of this process that a child reads or writes now: they are not ours to drain.
const borrowed = new WeakSet();

/** Stops reading a stream of ours whose descriptor a child got. */
function borrow(stream) {
  const handle = [stream, stream.handle, stream._handle].find((candidate) => typeof candidate?.readStop === 'function');
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
    value(...chunk) {
      delete socket.push;
      handle.pollExec();
      return socket.push(...chunk);
    },
    writable: true,
    configurable: true,
  });
}

/** A stream that has been read to its end, as those of a child are that has closed. */
function endedSocket() {
  const socket = new net.Socket();
  socket._readableState.ended = true;
  socket._readableState.endEmitted = true;
  return socket.destroy();
}

/** A stream whose pipe is at its end already; one whose output was gathered has its end still to tell. */
function withoutPipe(begun) {
  // Not writable: on Node 20 the writable side of a socket without a handle never finishes.
  return begun ? new net.Socket({ writable: false }) : endedSocket();
}

class Streams {
  #handle;
  #ends;
  #made = [];
  #onClose;
  #gatherers = new Map();
  #confirmFirst = false;
  #settled = false;

  /** `ends`: what `Process.launch` says of each descriptor. `onClose` hears of each output stream that is made. */
  constructor(handle, ends, onClose) {
    this.#handle = handle;
    this.#ends = ends;
    this.#onClose = onClose;
  }

  get length() {
    return this.#ends.length;
  }

  isPipe(index) {
    return this.#ends[index] === PIPE;
  }

  /** Whether any pipe has not been touched, nor is gathered. */
  get hasUntouched() {
    return this.#ends.some((end, index) => end === PIPE && !this.#made[index] && !this.#gatherers.has(index));
  }

  /** Leaves an output to `gatherer`, whose `onTouch(socket, begun)` hears of it when the program touches the stream after all. */
  gather(index, gatherer) {
    this.#gatherers.set(index, gatherer);
  }

  /** Takes `gather` back: what was gathered has been handed over. */
  ungather(index) {
    this.#gatherers.delete(index);
  }

  /** The stream of descriptor `index`, made now if it wasn't; null where there is none. */
  get(index) {
    if (this.#ends[index] !== PIPE) return null;
    return (this.#made[index] ??= this.#make(index));
  }

  #make(index) {
    const gatherer = this.#gatherers.get(index);
    if (this.#settled && !gatherer) return endedSocket();
    this.#gatherers.delete(index);
    const begun = gatherer && this.#handle.takeOutput(index);
    let socket;
    this.#handle.inContext(() => {
      const fd = this.#handle.takeEnd(index);
      socket = fd === -1 ? withoutPipe(begun) : new net.Socket({ fd, readable: index > 0 });
    });
    if (index === 0) return socket;
    this.#onClose(socket);
    gatherer?.onTouch(socket, begun);
    if (begun && socket._handle === null) socket.push(null);
    if (this.#confirmFirst) confirmBeforeData(socket, this.#handle);
    return socket;
  }

  /** From now on the exec is confirmed before any output is seen. */
  confirmFirst() {
    this.#confirmFirst = true;
    for (const socket of this.#made.slice(1)) {
      if (socket) confirmBeforeData(socket, this.#handle);
    }
  }

  /** Gives up the child's input, if it was ever touched: nobody reads it any more. */
  endInput() {
    this.#made[0]?.destroy();
  }

  /** Gives up the outputs that were touched. */
  destroyOutputs() {
    for (const socket of this.#made.slice(1)) socket?.destroy();
  }

  /** The child has ended: drains what was touched and left unread. */
  settle() {
    this.#settled = true;
    for (const socket of this.#made) {
      if (socket?.readable && !borrowed.has(socket)) socket.resume();
    }
  }
}

module.exports = { Streams, borrow, PIPE, BORROWED };
