'use strict';

const EventEmitter = require('node:events');
const { append } = require('../common/arrays');
const { nextTick } = require('../common/clock');
const { LaunchContext } = require('./context');
const { hooks } = require('./hooks');
const { native, reportThrown, runtime, shapeOf } = require('../addon/runtime');

/** Whether `child` has a listener of 'spawn', or a patched `emit`. */
function isSpawnHeard(child) {
  return child.listenerCount('spawn') > 0 || child.emit !== EventEmitter.prototype.emit;
}

/** The process behind a ChildProcess, and its events. The methods that it inherits are native. */
class Process extends shapeOf(native.Process) {
  #child;
  #context;
  #listener;
  // Functions to call after 'spawn'.
  #afterSpawn;
  #isClosed = false;

  constructor(child, listener) {
    super();
    this.#child = child;
    this.#listener = listener;
    this.pid = undefined;
    // Set by the native side: the file and `argv`, unless these are simply the arguments of spawn().
    this.spawnfile = undefined;
    this.spawnargs = undefined;
    // A `p` for each descriptor that is a pipe, and a `-` for any other. Set by the native side if there are more than
    // three.
    this.pipes = undefined;
    // Whether the child may have a native end of the channel.
    this.mayBeNative = false;
    // Whether the child, without `options.env`, inherits the environment of this process.
    this.inheritsEnvironment = false;
    // Whether 'spawn' has been emitted, or there was no listener.
    this.isSpawnDone = false;
    // Its channel, if it has one.
    this.link = undefined;
    // For exec(): what waits for the outputs,
    this.pendingCall = undefined;
    // the call as the native side has read it,
    this.call = undefined;
    // and whether outputs are captured natively.
    this.captures = false;
  }

  /** The child of `handle` if that is a Process. */
  static childOf(handle) {
    return typeof handle === 'object' && handle !== null && #child in handle ? handle.#child : undefined;
  }

  /** Whether a launch has been tried. A method with which a program has replaced ours need not try one. */
  get isLaunched() {
    return this.#context !== undefined;
  }

  /** It has been launched, or could not be. */
  launched(pid) {
    this.pid = pid;
    this.#context ??= new LaunchContext();
  }

  /** What `body` returns, called in the async context of the launch, if there was one. */
  inLaunchContext(body) {
    return this.#context ? this.#context.runAsLauncher(body) : body();
  }

  /** Nothing was launched, and the caller throws the error instead of reporting it by an event. */
  abandon() {
    this.#context.destroy();
    this.closePipes();
  }

  ref() {
    if (!this.#isClosed) super.ref();
  }

  /** No longer reports the exit, nor has the loop wait for it. It is still reaped. Undocumented, as in Node. */
  close(callback) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    nextTick(() => {
      this.unref();
      callback?.call(this);
    });
  }

  /** Calls `body` after 'spawn' if that is still due and there is a listener, otherwise at once. */
  afterSpawn(body) {
    const child = this.#child;
    const isAlive = child.pid !== undefined && child._handle;
    if (!this.isSpawnDone && isAlive && isSpawnHeard(child)) append((this.#afterSpawn ??= []), body);
    else body();
  }

  #runAfterSpawn() {
    const bodies = this.#afterSpawn;
    this.#afterSpawn = undefined;
    for (let i = 0; i < bodies?.length; i++) bodies[i]();
  }

  spawned() {
    this.isSpawnDone = true;
    try {
      this.#child.emit('spawn');
    } finally {
      this.#runAfterSpawn();
    }
  }

  exited(code, signal, syscall) {
    try {
      if (!this.#isClosed) this.#listener.onExit(this.#child, this, code, signal, syscall);
    } finally {
      this.#context.destroy();
      this.#runAfterSpawn();
    }
  }

  // The native side calls the methods that follow.

  /** Called before the launch if stdio asks for a channel. */
  onchannel() {
    // As in the builtin, the async resource of the process is created before that of the channel.
    this.#context = new LaunchContext();
    this.link = this.#listener.makeLink(this.#child, this);
    return this.link;
  }

  // The exit is reported in the async context of the process, everything else in that of the launch. To a program that
  // looks the same as with the builtin, which emits 'spawn' in a tick of the launch.

  onspawn() {
    this.inLaunchContext(() => reportThrown(() => this.spawned()));
  }

  onexit(code, signal, syscall, outputs) {
    this.#context.runAsProcess(() =>
      reportThrown(() => {
        if (outputs !== undefined) this.pendingCall?.onEnd(outputs);
        this.exited(code, signal, syscall);
      }),
    );
  }

  onend(outputs) {
    this.inLaunchContext(() => reportThrown(() => this.pendingCall?.onEnd(outputs)));
  }

  onkill(signal) {
    this.inLaunchContext(() => reportThrown(() => this.#kill(signal)));
  }

  #kill(signal) {
    if (this.pendingCall) {
      this.pendingCall.kill(signal);
      return;
    }
    try {
      this.#child.kill(signal);
    } catch (error) {
      this.#child.emit('error', error);
    }
  }
}

// For the native functions.
Process.prototype.hooks = hooks;
Process.prototype.runtime = runtime;

module.exports = { Process, isSpawnHeard };
