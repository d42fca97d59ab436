'use strict';

const { nextTick } = require('./clock');
const { LaunchContext } = require('./context');
const { hooks } = require('./hooks');
const { numbers: { ESRCH }, tell } = require('./runtime');

/** The process behind a ChildProcess: a native one once it is launched, and what happens to it. */
class Process {
  #child;
  #native;
  #context;
  #onoutput;
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

  /**
   * Gathers an output natively, at most `limit` bytes; `onoutput` is called when it is over. Returns 0 or a negative errno.
   */
  collect(index, limit, onoutput) {
    this.#onoutput = onoutput;
    return this.#native.collect(index, limit);
  }

  isCollecting(index) {
    return this.#native.isCollecting(index);
  }

  beforeLastRead(index) {
    return this.#native.beforeLastRead(index);
  }

  takeOutput(index) {
    return this.#native.takeOutput(index);
  }

  takeText(index) {
    return this.#native.takeText(index);
  }

  closeOutputs() {
    this.#native.closeOutputs();
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

  output(index, isOverLimit, errno) {
    this.#onoutput?.(index, isOverLimit, errno);
  }

  // Called by the native side. Only the exit is the process's own doing: the builtin emits 'spawn' in a tick of the launch, and
  // has no more to do with the process when output comes.

  onspawn() {
    this.inLaunchContext(() => tell(() => this.spawned()));
  }

  onexit(code, signal, syscall) {
    this.#context.runAsProcess(() => tell(() => this.exited(code, signal, syscall)));
  }

  onoutput(index, isOverLimit, errno) {
    this.inLaunchContext(() => tell(() => this.output(index, isOverLimit, errno)));
  }
}

module.exports = { Process };
