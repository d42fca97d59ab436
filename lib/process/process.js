'use strict';

const { append } = require('../common/arrays');
const { nextTick } = require('../common/clock');
const { LaunchContext } = require('./context');
const { hooks } = require('./hooks');
const { native, tell } = require('../addon/runtime');

/** The process behind a ChildProcess, and what happens to it. Its own methods are native. */
class Process extends native.Process {
  #child;
  #context;
  #onexit;
  #afterSpawn;
  #isClosed = false;

  constructor(child, onexit) {
    super();
    this.#child = child;
    this.#onexit = onexit;
    this.pid = undefined;
    // The child may be told of our end of the channel rather than the builtin's.
    this.mayBeNative = false;
    // Without `options.env` the child has the environment of this process.
    this.inheritsEnvironment = false;
    // 'spawn' has been emitted, or nobody was there to hear it.
    this.isSpawnTold = false;
    // Of exec().
    this.execution = undefined;
  }

  /** It has been launched, or could not be. */
  launched(pid) {
    this.pid = pid;
    this.#context = new LaunchContext();
  }

  /** What `body` returns, called in the async context of the launch. */
  inLaunchContext(body) {
    return this.#context.runAsLauncher(body);
  }

  /** Nothing was launched, and nobody is told. */
  abandon() {
    this.#context.destroy();
    this.closePipes();
  }

  ref() {
    if (!this.#isClosed) super.ref();
  }

  /**
   * Nobody is told of its end any more, and the loop does not wait for it; it still is reaped. Undocumented, as the
   * builtin's.
   */
  close(callback) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onexit = () => {};
    nextTick(() => {
      this.unref();
      callback?.call(this);
    });
  }

  /** Calls `body` after 'spawn', or after the end of a process of which it was not told. */
  afterSpawn(body) {
    append((this.#afterSpawn ??= []), body);
  }

  #runAfterSpawn() {
    const bodies = this.#afterSpawn;
    this.#afterSpawn = undefined;
    for (let i = 0; i < bodies?.length; i++) bodies[i]();
  }

  spawned() {
    this.isSpawnTold = true;
    try {
      this.#child.emit('spawn');
    } finally {
      this.#runAfterSpawn();
    }
  }

  exited(code, signal, syscall) {
    try {
      this.#onexit(this.#child, this, code, signal, syscall);
    } finally {
      this.#context.destroy();
      this.#runAfterSpawn();
    }
  }

  // Called by the native side. Only the exit is the process's own doing: the builtin emits 'spawn' in a tick of the
  // launch, and has no more to do with the process when output comes.

  onspawn() {
    this.inLaunchContext(() => tell(() => this.spawned()));
  }

  onexit(code, signal, syscall, outcome) {
    this.#context.runAsProcess(() =>
      tell(() => {
        if (outcome !== undefined) this.execution?.onEnd(outcome);
        this.exited(code, signal, syscall);
      }),
    );
  }

  onend(outcome) {
    this.inLaunchContext(() => tell(() => this.execution?.onEnd(outcome)));
  }

  onkill(signal) {
    this.inLaunchContext(() => tell(() => this.#kill(signal)));
  }

  #kill(signal) {
    const child = this.#child;
    let failure;
    try {
      child.kill(signal);
    } catch (error) {
      failure = error;
    }
    if (this.execution) this.execution.onKilled(failure);
    else if (failure !== undefined) child.emit('error', failure);
  }
}

// For the native functions.
Process.prototype.hooks = hooks;
Process.prototype.keysOf = Object.keys;

module.exports = { Process };
