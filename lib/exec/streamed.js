'use strict';

// A command whose outputs are streams, started by spawn() of whatever child_process there is: the builtin, or ours
// where a program wants to see every ChildProcess.

const { nextTick } = require('../common/clock');

class Streamed {
  #child;

  /**
   * Starts `file` with `args` and the `options` of `spawn`. `outputs`: by descriptor, what reads its stream. What is
   * called of `events`: `onFailure(error)` if it could not be started, or nobody can wait for it; else
   * `onExit(code, signal)`, and `onClose(failure)` when its outputs are closed, too, or null; and `onTooLong()`, if an
   * output that is captured is.
   */
  constructor(spawn, { file, args, options, outputs }, events) {
    try {
      this.#child = spawn(file, args, options);
    } catch (error) {
      // What is wrong with the call is thrown, what is wrong with the system is told.
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
    return this.stdio[index] ?? null;
  }

  send(signal) {
    return this.#child?.kill(signal) ?? false;
  }

  captured(_index) {
    return undefined;
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
