'use strict';

// A command whose outputs are streams, started by spawn() of whatever child_process there is: the builtin, or ours
// where a program wants to see every ChildProcess.

const { PassThrough } = require('node:stream');
const { nextTick } = require('../common/clock');

class Streamed {
  #child;
  #stdio;
  // By descriptor, closed streams in place of those that a failed launch has not created.
  #closed = [];

  /**
   * Starts `file` with `args` and the `options` of `spawn`. `outputs`: by descriptor, what reads its stream. Methods of
   * `events` are called: `onFailure(error)` if it could not be started, or nobody can wait for it; otherwise
   * `onExit(code, signal)`, and when its outputs are closed, too, `onClose(failure)`, where `failure` may be null; and
   * `onTooLong()` if a captured output is too long.
   */
  constructor(spawn, { file, args, options, outputs }, events) {
    this.#stdio = options.stdio;
    try {
      this.#child = spawn(file, args, options);
    } catch (error) {
      // An invalid call throws; a failed system call is an event.
      if (error.syscall === undefined) throw error;
      nextTick(() => events.onFailure(error));
      return;
    }
    const child = this.#child;
    child.on('error', (error) => {
      if (error.syscall?.startsWith('spawn') || error.syscall?.startsWith('wait')) events.onFailure(error);
    });
    child.once('exit', (code, signal) => events.onExit(code, signal));
    child.once('close', () => events.onClose(null));
    for (let index = 1; index <= 2; index++) {
      const stream = child.stdio?.[index];
      if (stream && outputs[index]) outputs[index].attach(stream, Buffer.alloc(0));
    }
  }

  get pid() {
    return this.#child?.pid;
  }

  get stdio() {
    return this.#child?.stdio ?? [];
  }

  stream(index) {
    const { stdio } = this;
    if (index < stdio.length || this.#stdio[index] !== 'pipe') return stdio[index] ?? null;
    return (this.#closed[index] ??= new PassThrough().destroy());
  }

  send(signal) {
    return this.#child?.kill(signal) ?? false;
  }

  captured(_index) {
    return undefined;
  }

  get hasAll() {
    return false;
  }

  capturedParts() {
    return [];
  }

  resourceUsage() {
    return undefined;
  }

  closeOutputs() {
    for (let index = 1; index < this.stdio.length; index++) this.stdio[index]?.destroy();
  }

  ref() {
    this.#child?.ref();
  }

  unref() {
    this.#child?.unref();
  }
}

module.exports = { Streamed };
