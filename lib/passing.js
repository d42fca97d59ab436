'use strict';

// The handles that one end of a channel sends and receives: the objects around what is known of them natively.

const { EPIPE } = require('node:os').constants.errno;
const { nextTick } = require('./clock');
const { invalidHandle } = require('./errors');
const { Lists, TYPES, handleOver, inward, outward } = require('./handles');
const { native, runtime } = require('./runtime');

// What `onHandle` is told of a descriptor that has not come.
const MISSING = -1;

function failure(message) {
  const error = new Error(message);
  error.code = 'ERR_IPC_HANDLE';
  return error;
}

class Passing {
  #target;
  #link;
  #number;
  #lists;
  // Handles that were given away while they had something to write.
  #lingering = [];
  // A handle that is missing and will come again, and all that has come after it: `deliver`, once it is there.
  #held;

  constructor(target, link, number) {
    this.#target = target;
    this.#link = link;
    this.#number = number;
    this.#lists = new Lists(target);
  }

  send(message, handle, options, callback) {
    const link = this.#link;
    const type = TYPES[native.handleKind(runtime, handle)];
    if (type === undefined) throw invalidHandle();
    const { inner, describe, given } = outward[type];
    const { keepOpen, swallowErrors } = Object(options);
    const source = inner(handle);
    const attached = source ? native.attachHandle(this.#number, source) : 1;
    // Sent before, or closed: then the message goes alone.
    if (attached > 0) return link.send(message, callback, swallowErrors);
    // As with the builtin, only those who asked hear that the other end is gone: cluster sends before it knows.
    const isSilent = swallowErrors || typeof callback !== 'function';
    if (attached < 0) return link.refuse(attached, callback, isSilent && attached === -EPIPE);
    let hasRoom;
    try {
      const wrapped = { cmd: 'NODE_HANDLE', type, msg: message };
      describe?.(wrapped, handle);
      hasRoom = link.send(wrapped, callback, isSilent);
    } catch (error) {
      native.cancelHandle(this.#number);
      throw error;
    }
    this.#give(given?.(handle, this.#lists, keepOpen));
    return hasRoom;
  }

  /** What is sent has a descriptor of its own, but what a handle has still to write only itself can. */
  #give(handle) {
    if (!handle) return;
    if (handle.writeQueueSize > 0 && native.awaitHandles(this.#number)) this.#lingering.push(handle);
    else handle.close();
  }

  /** Everything has arrived, or nothing will any more. */
  letGo() {
    for (const handle of this.#lingering.splice(0)) handle.close();
  }

  /** The builtin's end has got a handle, or has not. */
  acknowledge(isReceived) {
    const outcome = native.acknowledge(this.#number, isReceived);
    if (outcome !== 0) this.reportUndelivered(outcome > 0);
  }

  reportUndelivered(wasSent) {
    if (wasSent) {
      process.emitWarning('Handle did not reach the receiving process correctly', 'SentHandleNotReceivedWarning');
    } else {
      this.#link.report(failure('the other end acknowledged a handle that was not sent'));
    }
  }

  /** A message has come that announces a handle. `number`: a native end sends it again if it is missing. */
  receive(message, fd, made, number) {
    const deliver = () => this.#convert(message, fd, made);
    const missed = this.#held?.find((entry) => entry.number === number);
    if (made === MISSING && number >= 0) {
      if (!missed) (this.#held ??= []).push({ number });
    } else if (missed) {
      missed.deliver = deliver;
      this.#release();
    } else if (!this.hold(deliver)) {
      deliver();
    }
  }

  /** A missing handle will not come any more, and neither will its message. */
  lose(number) {
    const missed = this.#held?.find((entry) => entry.number === number);
    if (!missed) return;
    missed.deliver = () => {};
    this.#release();
  }

  /** What is still missing at the end of the channel will not come. */
  end() {
    while (this.#held) this.lose(this.#held.find(({ deliver }) => deliver === undefined).number);
  }

  /** Keeps what has come for later if it came after a handle that is missing. */
  hold(deliver) {
    this.#held?.push({ deliver });
    return this.#held !== undefined;
  }

  #release() {
    const index = this.#held.findIndex(({ deliver }) => deliver === undefined);
    const due = this.#held.splice(0, index === -1 ? Infinity : index);
    if (index === -1) this.#held = undefined;
    for (const { deliver } of due) nextTick(deliver);
  }

  #convert(message, fd, made) {
    this.#target.emit('internalMessage', message, made === MISSING ? null : undefined);
    // The builtin's end will send it again.
    if (made === MISSING) return;
    const failed = (error) => this.#link.report(error);
    if (fd < 0) {
      failed(failure(`what came is no ${message.type}`));
      return;
    }
    try {
      const done = (object) => this.#link.deliverAny(message.msg, object);
      inward[message.type](message, handleOver(made, fd), done, failed, this.#lists);
    } catch (error) {
      failed(error);
    }
  }
}

module.exports = { Passing };
