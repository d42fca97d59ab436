'use strict';

// One end of an IPC channel as JavaScript sees it: what is between the native end and the object that has the channel. Messages
// are serialised, written, read and parsed natively.

const { AsyncResource } = require('node:async_hooks');
const { constants } = require('node:buffer');
const dgram = require('node:dgram');
const net = require('node:net');
const { clearTimeout, nextTick, setTimeout } = require('./clock');
const { Deliveries } = require('./deliveries');
const { brokenMessage, channelClosed, errnoError } = require('./errors');
const { close } = require('./handles');
const { Passing } = require('./passing');
const { native, runtime, told } = require('./runtime');
const serialization = require('./serialization');

const { stringify } = JSON;
const { isArrayBuffer, isBuffer } = serialization;

// In what form `write` takes a message.
const PRIMITIVE = 0;
const TEXT = 1;
const GRAPH = 2;
const BYTES = 3;
const ARRAY_BUFFER = 4;
const AWAITED = 8;
const UNHEARD = 16;

// What `write` says; undefined is ROOM alone.
const ROOM = 1;
const WRITTEN = 2;
const FLUSH = 4;
const CROWDED = 8;

// After so long the kernel is asked again, ms.
const CROWDED_DELAY = 5;

// How the `cmd` of internal messages begins.
const INTERNAL = 'NODE_';

// How long an end looks for a quick answer before it goes back to the loop, microseconds; 0 never looks.
const BUSY_POLL = 50;
// The longest frame of the advanced mode.
const LONGEST_FRAME = 2 ** 32 - 1;

// Called on a Link. A key is that of something that was missing until now, or is.
native.setChannelHooks(runtime, {
  onMessages: told(function (messages, key) {
    this.receive(messages, key);
  }),
  onInternal: told(function (message, key) {
    this.confirm();
    this.deliveries.add(() => this.deliverInternal(message), key);
  }),
  onHandle: told(function (message, fd, made, key) {
    this.confirm();
    this.deliveries.add(() => this.passing.receive(message, fd, made), key);
  }),
  onMissing: told(function (key) {
    this.confirm();
    this.deliveries.addMissing(key);
  }),
  onLost: told(function (key) {
    this.deliveries.dropMissing(key);
  }),
  onUndelivered: told(function (wasSent) {
    this.passing.reportUndelivered(wasSent);
  }),
  onArrived: told(function () {
    this.handlesArrived();
  }),
  onCrowded: told(function () {
    this.tryLater();
  }),
  onEnd: told(function (isPartial) {
    this.confirm();
    this.end(isPartial);
  }),
  onBroken: told(function (cause, key) {
    this.confirm();
    this.deliveries.add(() => this.reportBroken(cause), key);
  }),
  onWritten: told(function (count) {
    this.settle(count, null);
  }),
  onFailed: told(function (errno) {
    this.fail(errno);
  }),
  parse: JSON.parse,
  ...serialization,
  netSocket: net.Socket,
  netServer: net.Server,
  dgramSocket: dgram.Socket,
});

function busyPoll(option) {
  const { CHILD_PROCESS_RS_BUSY_POLL: variable } = process.env;
  const microseconds = Number(option ?? (variable || BUSY_POLL));
  return microseconds > 0 ? Math.min(microseconds, 1e6) : 0;
}

/** The native end of a channel and what waits in JavaScript: messages for a listener, callbacks for their write. */
class Link {
  #target;
  #number;
  #onClose;
  #beforeFirst;
  #beforeDisconnect;
  #isAdvanced;
  // Called with the error, or null, of each awaited message that is not written yet, in order.
  #callbacks = [];
  // Messages, with their handles, that came while nobody listened.
  #pending = [];
  #isFinished = false;
  // Emits 'disconnect', once it has been asked for.
  #whenOver;
  // Whether answers wait for the end of the delivery.
  #hasAnswered = false;
  #retry;
  // The other end is gone.
  #isOver = false;

  constructor(target, fd, { serialization, busyPoll: spin, maxMessageSize, onClose, beforeFirst, beforeDisconnect }) {
    const isAdvanced = serialization === 'advanced';
    const limit = maxMessageSize ?? (isAdvanced ? LONGEST_FRAME : constants.MAX_STRING_LENGTH);
    this.#target = target;
    this.#onClose = onClose;
    this.#beforeFirst = beforeFirst;
    this.#beforeDisconnect = beforeDisconnect ?? ((disconnect) => disconnect());
    this.#isAdvanced = isAdvanced;
    // Becomes the native function that sends.
    this.write = undefined;
    this.#number = native.openChannel(runtime, this, fd, isAdvanced, busyPoll(spin), limit);
    if (this.#number < 0) throw errnoError(this.#number, 'ipc');
    /** What sends and receives handles. */
    this.passing = new Passing(target, this, this.#number);
    this.deliveries = new Deliveries({
      deliver: (message) => this.deliver(message),
      between: () => {
        if (this.#hasAnswered) this.#writeAnswers();
      },
      done: () => this.#delivered(),
    });
  }

  get fd() {
    return native.channelFd(this.#number);
  }

  setReferenced(isReferenced) {
    native.setChannelReferenced(this.#number, isReferenced);
  }

  hasRef() {
    return native.channelHasRef(this.#number);
  }

  /** Whether handles that were sent are still to be acknowledged; `handlesArrived` is called when they are. */
  awaitHandles() {
    return !this.#isOver && native.awaitHandles(this.#number);
  }

  handlesArrived() {
    this.passing.letGo();
    const target = this.#target;
    if (!target.connected && target.channel) target._disconnect();
  }

  /** The kernel takes no more for now: it is short of memory, or descriptors have to be received first, maybe another process's. */
  tryLater() {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.flush();
    }, CROWDED_DELAY);
  }

  /** Tells the other end, which waits for this secret, that this end is native. */
  introduce(secret) {
    native.introduce(this.#number, secret);
  }

  /** The other end will introduce itself with this secret if it is native. */
  expectNative(secret) {
    native.expectNative(this.#number, secret);
  }

  /** What the other end does shows that it is there. */
  confirm() {
    this.#beforeFirst?.();
    this.#beforeFirst = undefined;
  }

  /** Messages have come. */
  receive(messages, key) {
    this.confirm();
    if (key === undefined) this.deliveries.addMessages(messages);
    else this.deliveries.add(() => this.deliver(messages[0]), key);
  }

  /** Sends; false: the other end is behind, and the sender should wait. */
  send(message, callback, swallowErrors) {
    const isAwaited = typeof callback === 'function';
    const sent = this.#write(message, isAwaited ? AWAITED : swallowErrors ? 0 : UNHEARD);
    if (sent === undefined) {
      this.#hasAnswered = true;
      if (isAwaited) this.#callbacks.push(inThisContext(callback, swallowErrors));
      return true;
    }
    return this.#afterSend(sent, callback, swallowErrors);
  }

  #write(message, how) {
    const isPrimitive = typeof message !== 'object' || message === null;
    if (!this.#isAdvanced) {
      if (isPrimitive) return this.write(message, PRIMITIVE | how);
      // What `toJSON` makes undefined has no text; the builtin sends this word all the same.
      return this.write(stringify(message) ?? 'undefined', TEXT | how);
    }
    if (isPrimitive) return this.write(message, GRAPH | how);
    if (isBuffer(message)) return this.write(message, BYTES | how);
    if (isArrayBuffer(message)) return this.write(message, ARRAY_BUFFER | how);
    return this.write(message, GRAPH | how);
  }

  #afterSend(sent, callback, swallowErrors) {
    if (sent < 0) {
      this.#failOne(sent, callback, swallowErrors);
      return true;
    }
    if (sent & WRITTEN) this.settle(this.#callbacks.length, null);
    if (typeof callback === 'function') {
      if (sent & WRITTEN) nextTick(callback, null);
      else this.#callbacks.push(inThisContext(callback, swallowErrors));
    }
    if (sent & FLUSH) nextTick(flush, this);
    if (sent & CROWDED) this.tryLater();
    return (sent & ROOM) !== 0;
  }

  #failOne(errno, callback, swallowErrors) {
    this.#failAwaited(errno);
    const hasLostOthers = native.takeLost(this.#number) && typeof callback === 'function';
    this.refuse(errno, callback, swallowErrors);
    if (hasLostOthers) this.refuse(errno);
  }

  /** A message is not sent; others may be. */
  refuse(errno, callback, swallowErrors) {
    if (swallowErrors) return true;
    const error = errnoError(errno, 'write');
    if (typeof callback === 'function') nextTick(callback, error);
    else nextTick(() => this.#target.emit('error', error));
    return true;
  }

  flush() {
    const sent = this.write();
    if (sent < 0) this.fail(sent);
    else if (sent & CROWDED) this.tryLater();
    else if (this.#callbacks.length > 0) this.settle(native.takeWritten(this.#number), null);
  }

  /** Calls the next `count` callbacks. */
  settle(count, error) {
    const settled = this.#callbacks.splice(0, count);
    for (let i = 0; i < settled.length; i++) settled[i](error);
  }

  /** What was sent could not be written. Of what had to wait for room only those hear who asked, as with the builtin. */
  fail(errno) {
    this.#failAwaited(errno);
    if (native.takeLost(this.#number)) this.refuse(errno);
  }

  #failAwaited(errno) {
    this.settle(this.#callbacks.length, errnoError(errno, 'write'));
  }

  /** What had come is delivered: the end that was asked for meanwhile may follow. */
  #delivered() {
    if (!this.#whenOver) return;
    // What is missing is not waited for, but what came after it is still delivered.
    if (this.deliveries.isHeld) nextTick(() => this.#endMissing());
    else if (!native.endChannel(this.#number)) nextTick(this.#whenOver);
  }

  #writeAnswers() {
    this.#hasAnswered = false;
    this.flush();
  }

  deliver(message, handle) {
    if (this.#target.listenerCount('message') > 0) this.#target.emit('message', message, handle);
    else this.#pending.push({ message, handle });
  }

  deliverInternal(message, handle) {
    const { cmd } = message;
    if (cmd === 'NODE_HANDLE_ACK' || cmd === 'NODE_HANDLE_NACK') this.passing.acknowledge(cmd === 'NODE_HANDLE_ACK');
    this.passing.hear(message);
    const isHeard = this.#target.emit('internalMessage', message, handle);
    // Nobody has it, so nobody else can close it.
    if (!isHeard && handle) close(handle);
  }

  /** Delivers what came with a handle; it may be an internal message. */
  deliverAny(message, handle) {
    const cmd = message?.cmd;
    const isInternal = typeof cmd === 'string' && cmd.length > INTERNAL.length && cmd.startsWith(INTERNAL);
    if (isInternal) this.deliverInternal(message, handle);
    else this.deliver(message, handle);
  }

  /** Emits the messages that waited for a listener. */
  deliverPending() {
    if (this.#pending.length === 0 || this.#target.listenerCount('message') === 0) return;
    const pending = this.#pending.splice(0);
    for (let i = 0; i < pending.length; i++) this.#target.emit('message', pending[i].message, pending[i].handle);
  }

  /** What came is no message. `cause`: what decoding it threw, or a sentence; undefined: it is too long. */
  reportBroken(cause) {
    this.report(brokenMessage(typeof cause === 'string' ? new Error(cause) : cause));
  }

  /** Something is wrong with what came; it is no reason to throw. */
  report(error) {
    if (this.#target.listenerCount('error') > 0) this.#target.emit('error', error);
    else process.emitWarning(error);
  }

  /** Asked for by this end: what has come already is still delivered. */
  disconnect() {
    const finish = () => {
      try {
        this.#beforeDisconnect(() => this.#finish());
      } catch (error) {
        native.throwUncaught(error);
      }
    };
    // Not `AsyncResource.bind`, which takes as long as all the rest of the end.
    const resource = new AsyncResource('CHANNELEND');
    this.#whenOver = () => resource.runInAsyncScope(finish);
    if (!this.deliveries.isRunning) this.#delivered();
  }

  #endMissing() {
    this.deliveries.endMissing(() => this.reportBroken('the channel was closed before it came again'));
  }

  /** No message will come any more. */
  end(isPartial) {
    const target = this.#target;
    if (this.#whenOver) {
      if (this.deliveries.isHeld) this.#endMissing();
      else this.#whenOver();
      return;
    }
    this.#isOver = true;
    if (!this.deliveries.isEmpty) this.#endMissing();
    if (isPartial) this.reportBroken(new Error('the channel was closed in the middle of a message'));
    if (target.connected) target.disconnect();
    // It waited for acknowledgements.
    else if (target.channel) target._disconnect();
    this.#onClose?.();
  }

  #finish() {
    if (this.#isFinished) return;
    this.#isFinished = true;
    native.closeChannel(this.#number);
    clearTimeout(this.#retry);
    this.passing.letGo();
    // An error takes time to make.
    if (this.#callbacks.length > 0) this.settle(this.#callbacks.length, channelClosed());
    this.#target.emit('disconnect');
  }
}

/** Has `callback` called in a tick of its own, in the async context that is current now; not with an error that is swallowed. */
function inThisContext(callback, swallowErrors) {
  const resource = new AsyncResource('WRITEWRAP');
  return (error) => {
    if (!error || !swallowErrors) resource.runInAsyncScope(nextTick, undefined, callback, error);
  };
}

function flush(link) {
  link.flush();
}

module.exports = { Link };
