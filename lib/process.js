'use strict';

const { errno: { ESRCH } } = require('node:os').constants;
const { nextTick } = require('./clock');
const { LaunchContext } = require('./context');
const { hooks } = require('./hooks');
const { native, tell } = require('./runtime');

/** The process behind a ChildProcess: a native one once it is launched, and what happens to it. */
class Process {
  #child;
  #native;
  #context;
  #onexit;
  #afterSpawn;
  #isClosed = false;

  constructor(child, onexit) {
    this.#child = child;
    this.#onexit = onexit;
    this.pid = undefined;
    // The child may be told of our end of the channel rather than the builtin's.
    this.mayBeNative = false;
    // 'spawn' has been emitted, or nobody was there to hear it.
    this.isSpawnTold = false;
    // Of exec().
    this.execution = undefined;
  }

  /** For the native functions. */
  get hooks() {
    return hooks;
  }

  /** It has been launched, or could not be. */
  launched(native) {
    this.#native = native;
    this.#context = new LaunchContext();
    this.pid = native.pid;
  }

  /** Whether the exec is known to have succeeded; if it isn't known yet, `onspawn` will be called. */
  awaitExec() {
    return this.#native.awaitExec();
  }

  pollExec() {
    this.#native.pollExec();
  }

  /** What `body` returns, called in the async context of the launch. */
  inLaunchContext(body) {
    return this.#context.runAsLauncher(body);
  }

  /** Does with the process what has been planned for it. */
  begin(plan) {
    // A tracer may have started nothing.
    this.#native ??= new native.Process();
    this.#native.begin(plan, this);
  }

  stopTimer() {
    this.#native.stopTimer();
  }

  /** Leaves an output that is gathered to a stream; gives what it has brought, and how it is to go on. */
  takeOutput(index) {
    return this.#native.takeOutput(index);
  }

  /** A stream of an output has brought more than it may. */
  cutOutput(index) {
    this.#native.cutOutput(index, this);
  }

  /** The callback of exec() and its arguments, whatever the process does. */
  finish(end) {
    return this.#native.finish(end);
  }

  takePipe(index) {
    return this.#native.takePipe(index);
  }

  closePipes() {
    this.#native?.closePipes();
  }

  /** Nothing was launched, and nobody is told. */
  abandon() {
    this.#context.destroy();
    this.closePipes();
  }

  kill(signal) {
    return this.#native ? this.#native.kill(signal) : -ESRCH;
  }

  ref() {
    if (!this.#isClosed) this.#native?.ref();
  }

  unref() {
    this.#native?.unref();
  }

  hasRef() {
    return this.#native ? this.#native.hasRef() : false;
  }

  /** Nobody is told of its end any more, and the loop does not wait for it; it still is reaped. Undocumented, as the builtin's. */
  close(callback) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onexit = () => this.closePipes();
    nextTick(() => {
      this.unref();
      callback?.call(this);
    });
  }

  /** Calls `body` after 'spawn', or after the end of a process of which it was not told. */
  afterSpawn(body) {
    this.#afterSpawn = body;
  }

  #runAfterSpawn() {
    const body = this.#afterSpawn;
    this.#afterSpawn = undefined;
    body?.();
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

  // Called by the native side. Only the exit is the process's own doing: the builtin emits 'spawn' in a tick of the launch, and
  // has no more to do with the process when output comes.

  onspawn() {
    this.inLaunchContext(() => tell(() => this.spawned()));
  }

  onexit(code, signal, syscall, outcome) {
    this.#context.runAsProcess(() => tell(() => {
      if (outcome !== undefined) this.execution?.onEnd(outcome);
      this.exited(code, signal, syscall);
    }));
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

module.exports = { Process };
