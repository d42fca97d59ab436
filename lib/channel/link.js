'use strict';

// A native channel that is connected with its target, a ChildProcess or `process`: delivers received messages to the
// target, and emits events on it. The native side calls the methods `on…` (see ChannelEvents in native.d.ts).

const { Deliveries } = require('./deliveries');
const { brokenHandle, brokenMessage } = require('../common/errors');
const { native, reporting, shapeOf } = require('../addon/runtime');

const { stringify } = JSON;

// The prefix of the `cmd` of internal messages.
const INTERNAL = 'NODE_';

class Link extends shapeOf(native.Channel) {
  #target;
  #onClose;
  #peerProcess;
  #deliveries;
  // Messages, with their handles, that came while there was no 'message' listener.
  #pending = [];
  // Whether anything has ever been missing.
  #hasMissed = false;
  // Whether messages were sent during a delivery that may not have been written yet.
  #hasAnswered = false;
  // Whether `disconnect` was called.
  #isDisconnecting = false;

  /**
   * `onClose()` is called when the other end is gone. `peerProcess` is the Process at the other end; a child has none
   * for its parent.
   * @param {{ onClose?(): void, peerProcess?: any }} [settings]
   */
  constructor(target, settings = {}) {
    super();
    this.#target = target;
    this.#onClose = settings.onClose;
    this.#peerProcess = settings.peerProcess;
    this.#deliveries = new Deliveries({
      deliver: (message) => this.#deliver(message),
      between: () => {
        if (this.#hasAnswered) this.#writeAnswers();
      },
      done: () => {
        if (this.#isDisconnecting) super.disconnect();
      },
    });
  }

  /** Sends a message. Returns false if the sender should stop until it has been written. */
  send(message, handle, options, callback) {
    const sent = handle ? super.send(message, handle, options, callback) : this.#sendAlone(message, options, callback);
    if (sent !== undefined) return sent;
    this.#hasAnswered = true;
    return true;
  }

  #sendAlone(message, options, callback) {
    const isSilent = options !== undefined && (options === true || Boolean(options?.swallowErrors));
    let send = this.sendValue;
    if (typeof message === 'object' && message !== null) {
      if (!this.isAdvanced) {
        // If `toJSON` returns undefined there is no text. The builtin sends `undefined` in that case.
        message = stringify(message) ?? 'undefined';
        send = this.sendPrepared;
      } else if (message.constructor === Object) {
        send = this.sendPrepared;
      }
    }
    if (typeof callback === 'function') return send(this.number, message, isSilent, callback);
    return send(this.number, message, isSilent);
  }

  /** Closes the channel. Returns false if it first waits for handles to arrive. */
  disconnect() {
    this.#isDisconnecting = true;
    return super.disconnect(this.#deliveries.isRunning);
  }

  #writeAnswers() {
    this.#hasAnswered = false;
    this.endTick(this.number);
  }

  /** Anything that the other end sends proves that the child's exec succeeded: 'spawn' is emitted now if it is due. */
  #confirm() {
    const peer = this.#peerProcess;
    if (peer !== undefined && !peer.isSpawnDone) peer.pollExec();
  }

  onMessages(messages, key) {
    this.#confirm();
    if (key === undefined) this.#deliveries.addMessages(messages);
    else this.#deliveries.add(() => this.#deliver(messages[0]), key);
  }

  onInternal(message, key) {
    this.#confirm();
    this.#deliveries.add(() => this.#deliverInternal(message), key);
  }

  // The object is not created before its message is delivered: a server would otherwise accept connections without a
  // listener.
  onHandle(message, arrival, key) {
    this.#confirm();
    this.#deliveries.add(() => {
      try {
        this.#target.emit('internalMessage', message, arrival === undefined ? null : undefined);
      } finally {
        if (arrival !== undefined) this.#convert(message, arrival);
      }
    }, key);
  }

  #convert(message, arrival) {
    this.convert(message, arrival, (error, object) => {
      if (error) this.#report(error);
      else this.#deliverAny(message.msg, object);
    });
  }

  onMissing(key) {
    this.#confirm();
    this.#hasMissed = true;
    this.#deliveries.addMissing(key);
  }

  onLost(key) {
    this.#deliveries.dropMissing(key);
  }

  // In JavaScript, because the ChildProcess emits 'exit'.
  onSocketsSent(sockets) {
    this.#target.once('exit', () => sockets.emit('exit', sockets));
  }

  onUndelivered() {
    process.emitWarning('Handle did not reach the receiving process correctly', 'SentHandleNotReceivedWarning');
  }

  onError(error) {
    this.#report(error);
  }

  /** Reports an error of the other end, which must not throw in this process: as a warning if there is no listener. */
  #report(error) {
    if (this.#target.listenerCount('error') > 0) this.#target.emit('error', error);
    else process.emitWarning(error);
  }

  onUnsent(error) {
    this.#target.emit('error', error);
  }

  onBroken(cause, key) {
    this.#confirm();
    this.#deliveries.add(() => this.#reportBroken(cause), key);
  }

  onEnd(isPartial) {
    const target = this.#target;
    this.#confirm();
    if (this.#hasMissed) this.#endMissing();
    if (isPartial) this.#reportBroken('the channel was closed in the middle of a message');
    if (target.connected) target.disconnect();
    // `disconnect` was called, and waited for handles to arrive.
    else if (target.channel) target._disconnect();
    this.#onClose?.();
  }

  onHandlesArrived() {
    this.#target.channel = null;
  }

  onDisconnect() {
    // Missing messages will not come any more, but those after them are still delivered.
    if (this.#hasMissed) this.#endMissing();
    const peer = this.#peerProcess;
    if (peer === undefined || peer.isSpawnDone) this.#target.emit('disconnect');
    else peer.afterSpawn(() => this.#target.emit('disconnect'));
  }

  #deliver(message, handle) {
    if (this.#target.listenerCount('message') > 0) this.#target.emit('message', message, handle);
    else this.#pending.push({ message, handle });
  }

  #deliverInternal(message, handle) {
    const isHeard = this.#target.emit('internalMessage', message, handle);
    if (isHeard || !handle) return;
    // Nothing else can close the handle.
    close(handle);
    this.#report(brokenHandle('a handle came with an internal message that has no listener'));
  }

  /** Delivers a message that came with a handle; it may be an internal message. */
  #deliverAny(message, handle) {
    const cmd = message?.cmd;
    const isInternal = typeof cmd === 'string' && cmd.length > INTERNAL.length && cmd.startsWith(INTERNAL);
    if (isInternal) this.#deliverInternal(message, handle);
    else this.#deliver(message, handle);
  }

  /** Emits the messages that waited for a listener. */
  deliverPending() {
    if (this.#pending.length === 0 || this.#target.listenerCount('message') === 0) return;
    const pending = this.#pending.splice(0);
    for (let i = 0; i < pending.length; i++) this.#target.emit('message', pending[i].message, pending[i].handle);
  }

  /** Reports an invalid message. `cause`: what decoding it threw, or a text; undefined: it is too long. */
  #reportBroken(cause) {
    this.#report(brokenMessage(typeof cause === 'string' ? new Error(cause) : cause));
  }

  #endMissing() {
    this.#deliveries.endMissing(() => this.#reportBroken('the channel was closed before it was sent again'));
  }
}

// The native channel calls these, so their exceptions are passed to `uncaughtException`.
const names = Object.getOwnPropertyNames(Link.prototype);
for (let i = 0; i < names.length; i++) {
  if (names[i].startsWith('on')) Link.prototype[names[i]] = reporting(Link.prototype[names[i]]);
}

/** Closes a received socket, server or raw handle. */
function close(object) {
  if (typeof object.destroy === 'function') object.destroy();
  else object.close();
}

module.exports = { Link };
