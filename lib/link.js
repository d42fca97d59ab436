'use strict';

// What a native channel does for the object that has it: what comes is delivered to it, and what happens is emitted on
// it.

const { Deliveries } = require('./deliveries');
const { brokenHandle, brokenMessage } = require('./errors');
const { native, runtime, told } = require('./runtime');

const { stringify } = JSON;

// How the `cmd` of internal messages begins.
const INTERNAL = 'NODE_';

// How long an end looks for a quick answer before it goes back to the loop, microseconds; 0 never looks.
const BUSY_POLL = 50;

function busyPoll(option) {
  const { CHILD_PROCESS_RS_BUSY_POLL: variable } = process.env;
  const microseconds = Number(option ?? (variable || BUSY_POLL));
  return microseconds > 0 ? Math.min(microseconds, 1e6) : 0;
}

// Native functions, the same for all channels; known once there is one.
let sendValue;
let sendPrepared;
let endTick;

class Link {
  #target;
  #isAdvanced;
  // What the native functions know the channel by.
  #number;
  #onClose;
  #beforeFirst;
  #beforeDisconnect;
  #deliveries;
  // Messages, with their handles, that came while nobody listened.
  #pending = [];
  // Whether answers wait for the end of the delivery.
  #hasAnswered = false;
  // Whether `disconnect` was called.
  #isLeaving = false;
  // The channel was closed while something was being delivered.
  #isOver = false;

  constructor(target, fd, { serialization, onClose, beforeFirst, beforeDisconnect, ...options }) {
    const isAdvanced = serialization === 'advanced';
    const settings = { ...options, isAdvanced, busyPoll: busyPoll(options.busyPoll) };
    this.#target = target;
    this.#isAdvanced = isAdvanced;
    this.#onClose = onClose;
    this.#beforeFirst = beforeFirst;
    this.#beforeDisconnect = beforeDisconnect ?? ((disconnect) => disconnect());
    this.#deliveries = new Deliveries({
      deliver: (message) => this.#deliver(message),
      between: () => {
        if (this.#hasAnswered) this.#writeAnswers();
      },
      done: () => {
        if (this.#isLeaving) this.channel.disconnect();
        if (this.#isOver) this.#disconnected();
      },
    });
    /** The native end. */
    this.channel = new native.Channel(runtime, fd, settings, this);
    this.#number = this.channel.number;
    if (sendValue === undefined) ({ sendValue, sendPrepared, endTick } = this.channel);
  }

  /** Sends; false: the other end is behind, and the sender should wait. */
  send(message, handle, options, callback) {
    const sent = handle
      ? this.channel.send(message, handle, options, callback)
      : this.#sendAlone(message, options, callback);
    if (sent !== undefined) return sent;
    this.#hasAnswered = true;
    return true;
  }

  #sendAlone(message, options, callback) {
    const isSilent = options !== undefined && (options === true || Boolean(options?.swallowErrors));
    let send = sendValue;
    if (typeof message === 'object' && message !== null) {
      if (!this.#isAdvanced) {
        // What `toJSON` makes undefined has no text; the builtin sends this word all the same.
        message = stringify(message) ?? 'undefined';
        send = sendPrepared;
      } else if (message.constructor === Object) {
        send = sendPrepared;
      }
    }
    if (typeof callback === 'function') return send(this.#number, message, isSilent, callback);
    return send(this.#number, message, isSilent);
  }

  /** Ends the channel; `true`: there is no handle that arrives first. */
  disconnect() {
    this.#isLeaving = true;
    return this.channel.disconnect(this.#deliveries.isRunning);
  }

  #writeAnswers() {
    this.#hasAnswered = false;
    endTick(this.#number);
  }

  /** What the other end does shows that it is there. */
  #confirm() {
    this.#beforeFirst?.();
    this.#beforeFirst = undefined;
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

  // The object is made when it is its turn: a server would take connections that nobody hears of.
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
    this.channel.convert(message, arrival, (error, object) => {
      if (error) this.#report(error);
      else this.#deliverAny(message.msg, object);
    });
  }

  onMissing(key) {
    this.#confirm();
    this.#deliveries.addMissing(key);
  }

  onLost(key) {
    this.#deliveries.dropMissing(key);
  }

  // In JavaScript, since it is the child that emits 'exit'.
  onSocketsSent(sockets) {
    this.#target.once('exit', () => sockets.emit('exit', sockets));
  }

  onUndelivered() {
    process.emitWarning('Handle did not reach the receiving process correctly', 'SentHandleNotReceivedWarning');
  }

  onError(error) {
    this.#report(error);
  }

  /** Something is wrong with what came; it is no reason to throw. */
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
    this.#endMissing();
    if (isPartial) this.#reportBroken('the channel was closed in the middle of a message');
    if (target.connected) target.disconnect();
    // It waited for acknowledgements.
    else if (target.channel) target._disconnect();
    this.#onClose?.();
  }

  onHandlesArrived() {
    this.#target.channel = null;
  }

  onDisconnect() {
    // What is missing is not waited for, but what came after it is still delivered.
    this.#endMissing();
    if (this.#deliveries.isRunning) this.#isOver = true;
    else this.#disconnected();
  }

  #disconnected() {
    this.#isOver = false;
    this.#beforeDisconnect(() => this.#target.emit('disconnect'));
  }

  #deliver(message, handle) {
    if (this.#target.listenerCount('message') > 0) this.#target.emit('message', message, handle);
    else this.#pending.push({ message, handle });
  }

  #deliverInternal(message, handle) {
    const isHeard = this.#target.emit('internalMessage', message, handle);
    if (isHeard || !handle) return;
    // Nobody has it, so nobody else can close it.
    close(handle);
    this.#report(brokenHandle('a handle came with an internal message that nobody listens to'));
  }

  /** Delivers what came with a handle; it may be an internal message. */
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

  /** What came is no message. `cause`: what decoding it threw, or a sentence; undefined: it is too long. */
  #reportBroken(cause) {
    this.#report(brokenMessage(typeof cause === 'string' ? new Error(cause) : cause));
  }

  #endMissing() {
    if (!this.#deliveries.isEmpty)
      this.#deliveries.endMissing(() => this.#reportBroken('the channel was closed before it came again'));
  }
}

// The native side calls these.
const names = Object.getOwnPropertyNames(Link.prototype);
for (let i = 0; i < names.length; i++) {
  if (names[i].startsWith('on')) Link.prototype[names[i]] = told(Link.prototype[names[i]]);
}

/** Closes what has been made of a descriptor and nobody wants. */
function close(object) {
  if (typeof object.destroy === 'function') object.destroy();
  else object.close();
}

module.exports = { Link };
