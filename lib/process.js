'use strict';

const { asStrings } = require('./argv');
const { copy } = require('./arrays');
const { setImmediate } = require('./clock');
const { LaunchContext } = require('./context');
const { native, runtime } = require('./runtime');

/** The launched process behind a ChildProcess. */
class Process {
  #child;
  #id = 0;
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

  /** Starts it. Returns 0 or a negative errno, and what there is of each of the child's descriptors. */
  launch(options, started) {
    const { stdio, serialization, file, args, envPairs, cwd, uid, gid, detached } = Object(options);
    const launched = native.launch(
      runtime, this, options, stdio, serialization, file, asStrings(args), envPairs, cwd, uid, gid, detached, started,
    );
    this.#context = new LaunchContext();
    const status = launched[0];
    this.#id = launched[1];
    if (status > 0) this.pid = status;
    return { errno: Math.min(status, 0), ends: copy(launched, 2) };
  }

  /** Whether the exec is known to have succeeded; if it isn't known yet, `onspawn` will be called. */
  awaitExec() {
    return native.awaitExec(runtime, this.#id);
  }

  pollExec() {
    native.pollExec(runtime, this.#id);
  }

  /** What `body` returns, called in the async context of the launch. */
  inLaunchContext(body) {
    return this.#context.runAsLauncher(body);
  }

  /** The same in that of the process. */
  inContext(body) {
    return this.#context.runAsProcess(body);
  }

  /**
   * Gathers an output natively, at most `limit` bytes; `onoutput` is called when it is over. Returns 0 or a negative errno.
   */
  collect(index, limit, onoutput) {
    this.#onoutput = onoutput;
    return native.collect(runtime, this.#id, index, limit);
  }

  isCollecting(index) {
    return native.isCollecting(runtime, this.#id, index);
  }

  beforeLastRead(index) {
    return native.beforeLastRead(runtime, this.#id, index);
  }

  takeOutput(index) {
    return native.takeOutput(runtime, this.#id, index);
  }

  takeText(index) {
    return native.takeText(runtime, this.#id, index);
  }

  closeOutputs() {
    native.closeOutputs(runtime, this.#id);
  }

  takeEnd(index) {
    return native.takeEnd(runtime, this.#id, index);
  }

  release() {
    native.release(runtime, this.#id);
  }

  /** Nothing was launched, and nobody is told. */
  abandon() {
    this.#context.destroy();
    this.release();
  }

  kill(signal) {
    return native.kill(runtime, this.#id, signal);
  }

  ref() {
    if (!this.#isClosed) native.setReferenced(runtime, this.#id, true);
  }

  unref() {
    native.setReferenced(runtime, this.#id, false);
  }

  hasRef() {
    return native.hasRef(runtime, this.#id);
  }

  /** Nobody is told of its end any more, and the loop does not wait for it; it still is reaped. Undocumented, as the builtin's. */
  close(callback) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onexit = () => this.release();
    setImmediate(() => {
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

  onspawn() {
    this.isSpawnTold = true;
    try {
      this.#child.emit('spawn');
    } finally {
      this.#runAfterSpawn();
    }
  }

  onexit(code, signal, syscall) {
    try {
      this.#onexit(this.#child, this, code, signal, syscall);
    } finally {
      this.#context.destroy();
      this.#runAfterSpawn();
    }
  }

  onoutput(index, isOverLimit, errno) {
    this.#onoutput?.(index, isOverLimit, errno);
  }
}

module.exports = { Process };
