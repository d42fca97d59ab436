'use strict';

// What a command writes, for exec() and execFile(): gathered natively, as bytes, and decoded once. A stream that the
// program touches is live, and what comes through it is gathered here.

const { StringDecoder } = require('node:string_decoder');
const { append, join } = require('./arrays');
const { closeOne, streamsOf } = require('./child');
const { nextTick } = require('./clock');

const STDOUT = 1;
const STDERR = 2;
const EMPTY = Buffer.alloc(0);

class Outputs {
  #child;
  #handle;
  #streams;
  #encoding;
  #limit;
  #onOverflow;
  #onFailure;
  // By descriptor: an output that is gathered natively, or the stream it has become.
  #native = { __proto__: null };
  #streamed = { __proto__: null };

  /**
   * `onOverflow(index)` hears of an output that has become longer than `limit` bytes, `onFailure(errno, syscall)` of
   * one that cannot be read (`read`), or not even be watched (`spawn`).
   */
  constructor(child, encoding, limit, onOverflow, onFailure) {
    this.#child = child;
    this.#handle = child._handle;
    this.#encoding = encoding;
    // As comparing with it would take it.
    this.#limit = limit === undefined ? Infinity : Number(limit);
    this.#onOverflow = onOverflow;
    this.#onFailure = onFailure;
    this.#streams = streamsOf.get(child);
    if (!this.#streams || this.#handle.pid === undefined) return;
    for (let index = STDOUT; index <= STDERR; index++) {
      if (this.#streams.isPipe(index)) this.#gather(index);
    }
  }

  #gather(index) {
    this.#native[index] = { isOpen: true, isOverLimit: false, isCut: false };
    this.#child._closesNeeded++;
    this.#streams.gather(index, { onTouch: (socket, begun) => this.#stream(index, socket, begun) });
    const told = (which, isOverLimit, failure) => this.#onOver(which, isOverLimit, failure);
    const errno = this.#handle.collect(index, this.#limit, told);
    if (errno < 0) this.#onFailure(errno, 'spawn');
  }

  /** One output is over; without an index, the child has ended, and any may be. */
  #onOver(which, isOverLimit, errno) {
    for (let index = STDOUT; index <= STDERR; index++) {
      const output = this.#native[index];
      if (!output?.isOpen || (which ?? index) !== index) continue;
      if (which === undefined && this.#handle.isCollecting(index)) continue;
      // First: where the child has ended this is all that the end of the run has waited for.
      output.isOverLimit = Boolean(isOverLimit);
      if (isOverLimit) this.#onOverflow(index);
      if (errno) this.#onFailure(errno, 'read');
      this.#close(output);
    }
  }

  #close(output) {
    if (!output.isOpen) return;
    output.isOpen = false;
    closeOne(this.#child);
  }

  /** The program reads along: from now on the stream is the one to be heard. What came before, it does not hear. */
  #stream(index, socket, begun) {
    const output = { socket, chunks: [], length: 0 };
    this.#streamed[index] = output;
    if (this.#encoding) socket.setEncoding(this.#encoding);
    // The stream's decoder keeps the first bytes of a character whose last are still to come.
    if (begun.length > 0) this.#add(index, output, this.#encoding ? socket._readableState.decoder.write(begun) : begun);
    socket.on('data', (chunk) => this.#add(index, output, chunk));
    this.#close(this.#native[index]);
    delete this.#native[index];
  }

  #add(index, output, chunk) {
    const { readableEncoding } = output.socket;
    const length = readableEncoding ? Buffer.byteLength(chunk, readableEncoding) : chunk.length;
    output.length += length;
    if (this.#limit !== Infinity && output.length > this.#limit) {
      append(output.chunks, chunk.slice(0, this.#limit - (output.length - length)));
      this.#onOverflow(index);
    } else {
      append(output.chunks, chunk);
    }
  }

  /** Stops listening; what came is kept. */
  close() {
    this.#streams?.destroyOutputs();
    this.#handle.closeOutputs();
    for (let index = STDOUT; index <= STDERR; index++) {
      const output = this.#native[index];
      if (!output) continue;
      output.isCut ||= output.isOpen;
      // Later, as a stream would tell it.
      nextTick(() => this.#close(output));
    }
  }

  /** What an output has brought, and is then forgotten here. */
  take(index) {
    const streamed = this.#streamed[index];
    if (streamed) {
      const isText = this.#encoding || streamed.socket.readableEncoding;
      return isText ? join(streamed.chunks, '') : Buffer.concat(streamed.chunks);
    }
    const output = this.#native[index];
    if (!output) return this.#encoding ? '' : EMPTY;
    const result = output.isOverLimit ? this.#takeTruncated(index) : this.#takeWhole(index, output.isCut);
    this.#close(output);
    delete this.#native[index];
    this.#streams.ungather(index);
    return result;
  }

  /** Both outputs have been taken. Where the child lives on, its exit lets go of what is left. */
  release() {
    if (!this.#child._handle) this.#handle.closePipes();
  }

  #takeWhole(index, isCut) {
    if (!this.#encoding) return this.#handle.takeOutput(index);
    // What a character begins with is nothing without the rest.
    if (isCut) return new StringDecoder(this.#encoding).write(this.#handle.takeOutput(index));
    if (/^utf-?8$/i.test(this.#encoding)) return this.#handle.takeText(index);
    return this.#handle.takeOutput(index).toString(this.#encoding);
  }

  /** The builtin counts bytes and cuts characters, of the chunk that went over the limit. */
  #takeTruncated(index) {
    const before = this.#handle.beforeLastRead(index);
    const bytes = this.#handle.takeOutput(index);
    if (!this.#encoding) return bytes.subarray(0, this.#limit);
    const decoder = new StringDecoder(this.#encoding);
    const head = decoder.write(bytes.subarray(0, before));
    const last = decoder.write(bytes.subarray(before));
    return head + last.slice(0, this.#limit - Buffer.byteLength(head, this.#encoding));
  }
}

module.exports = { Outputs };
