'use strict';

// The handles that one end of a channel sends and receives: the objects around what is known of them natively.

const { EPIPE } = require('node:os').constants.errno;
const { brokenHandle, invalidHandle } = require('./errors');
const { Lists, TYPES, handleOver, inward, outward } = require('./handles');
const { native, runtime } = require('./runtime');

// What `onHandle` is told of a descriptor that has not come; the builtin's end will send it again.
const MISSING = -1;

class Passing {
  #target;
  #link;
  #number;
  #lists;
  // Handles that were given away while they had something to write.
  #lingering = [];

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
    // Sent before, or closed: then the message goes alone.
    if (!source) return link.send(message, callback, swallowErrors);
    const attached = native.attachHandle(this.#number, source);
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

  /** The other end has said something that may be about the sockets of a server. */
  hear(message) {
    this.#lists.hear(message);
  }

  /** Everything has arrived, or nothing will any more. */
  letGo() {
    const handles = this.#lingering.splice(0);
    for (let i = 0; i < handles.length; i++) handles[i].close();
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
      this.#link.report(brokenHandle('it acknowledged one that was not sent'));
    }
  }

  /** A message has come that announces a handle, and the descriptor `fd`, which is closed unless an object is made of it. */
  receive(message, fd, made) {
    try {
      this.#target.emit('internalMessage', message, made === MISSING ? null : undefined);
    } finally {
      if (made !== MISSING) this.#convert(message, fd, made);
    }
  }

  #convert(message, fd, made) {
    const failed = (error) => this.#link.report(error);
    if (fd < 0) {
      // A text is shown; what else it may be is not looked at.
      const type = typeof message.type === 'string' ? message.type : 'handle of a known type';
      failed(brokenHandle(`what it sent is no ${type}`));
      return;
    }
    const deliver = (object) => this.#link.deliverAny(message.msg, object);
    // What a listener throws is none of ours to catch.
    let atOnce;
    let isLater = false;
    const done = (object) => {
      if (isLater) deliver(object);
      else atOnce = object;
    };
    let handle;
    try {
      handle = handleOver(made, fd);
      inward[message.type](message, handle, done, failed, this.#lists);
    } catch (error) {
      handle?.close();
      failed(error);
      return;
    }
    isLater = true;
    if (atOnce) deliver(atOnce);
  }
}

module.exports = { Passing };
