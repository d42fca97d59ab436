'use strict';

// class ChildProcess as programs see it. What its constructor and its larger methods do is in child.js, which is loaded
// when the first child is created: with `register`, Node reads the class in every program that imports child_process,
// even if that never starts a process.

const EventEmitter = require('node:events');
const { builtin } = require('../builtin/originals');

let loaded;
/** What child.js exports; null if there is no addon for this system, which `register` does not know before. */
const implementation = () => (loaded ??= require('../calls').addon() && require('./child'));

/** A child process (Node.js documentation, «Class: ChildProcess»), as spawn() and the other functions create it. */
function ChildProcess() {
  if (!implementation()) return new builtin.ChildProcess();
  EventEmitter.call(this);
  this._closesNeeded = 1;
  this._closesGot = 0;
  this.connected = false;
  this.signalCode = null;
  this.exitCode = null;
  this.killed = false;
  this.spawnfile = null;
  /** @type {any} */
  this._handle = null;
  implementation().attachProcess(this);
}
Object.setPrototypeOf(ChildProcess.prototype, EventEmitter.prototype);
Object.setPrototypeOf(ChildProcess, EventEmitter);

// The builtin's children are instances, too; the workers of cluster, for example.
Object.defineProperty(ChildProcess, Symbol.hasInstance, {
  value(candidate) {
    const isInstance = Function.prototype[Symbol.hasInstance];
    return (
      isInstance.call(this, candidate) || (this === ChildProcess && isInstance.call(builtin.ChildProcess, candidate))
    );
  },
  configurable: true,
  writable: true,
});

/** Starts the process of normalised options; tracers replace it. Undocumented in Node, too. */
ChildProcess.prototype.spawn = function spawn(options) {
  return implementation().launchWith(this, options);
};

const spawnMethod = ChildProcess.prototype.spawn;

/** Whether a program has replaced the method that starts processes. */
const isSpawnReplaced = () => ChildProcess.prototype.spawn !== spawnMethod;

// inspect() shows the streams, as with the builtin, and not accessors.
Object.defineProperty(ChildProcess.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value() {
    void [this.stdin, this.stdout, this.stderr, this.stdio];
    return this;
  },
  writable: true,
  configurable: true,
});

/** Sends a signal (kill(2)); true if it was sent. */
ChildProcess.prototype.kill = function kill(signal) {
  return implementation().kill(this, signal);
};

if (Symbol.dispose) {
  ChildProcess.prototype[Symbol.dispose] = function dispose() {
    if (!this.killed) this.kill();
  };
}

/** Makes the event loop wait for the child; it does from the start. */
ChildProcess.prototype.ref = function ref() {
  this._handle?.ref();
};

/** Lets the event loop end before the child. */
ChildProcess.prototype.unref = function unref() {
  this._handle?.unref();
};

module.exports = { ChildProcess, isSpawnReplaced };
