'use strict';

// One handle is under way at a time, until the other end has acknowledged it; what is sent meanwhile waits, so that the order
// is kept.

const { conversions, typeOf } = require('./handles');

// As often a handle is sent again that has not arrived.
const MOST_RETRIES = 3;

class HandleQueue {
  #target;
  #link;
  // The handle that is under way.
  #pending;

  constructor(target, link) {
    this.#target = target;
    this.#link = link;
    this.conversions = conversions;
    this.lists = { target, sent: new Map(), received: new Map() };
  }

  send(message, handle, options, callback) {
    const target = this.#target;
    const isProtocol = message?.cmd === 'NODE_HANDLE_ACK' || message?.cmd === 'NODE_HANDLE_NACK';
    const type = handle ? typeOf(handle) : undefined;
    if (target._handleQueue && !isProtocol) {
      target._handleQueue.push({ message, handle, options, callback });
      return target._handleQueue.length === 1;
    }
    if (!handle) return this.#link.send(message, callback, options === true || options?.swallowErrors);

    const wrapped = { cmd: 'NODE_HANDLE', type, msg: message };
    const { handle: inner, isGivenAway } = conversions[type].send(wrapped, handle, Object(options), this.lists);
    // Sent before, or closed: then the message goes alone.
    if (!inner) return this.#link.send(message, callback, options?.swallowErrors);
    this.#pending = { message: wrapped, inner, isGivenAway, options, callback, retries: 0 };
    target._handleQueue = [];
    target._pendingMessage = isGivenAway ? this.#pending : null;
    return this.#transmit();
  }

  #transmit() {
    const { message, inner, options, callback } = this.#pending;
    this.#link.attach(inner.fd);
    return this.#link.send(message, callback, options?.swallowErrors);
  }

  /** The other end has the handle, or has not got it. */
  acknowledge(isReceived) {
    const target = this.#target;
    if (!target._handleQueue) return;
    if (!isReceived && this.#pending && this.#pending.retries++ < MOST_RETRIES) {
      this.#pending.callback = undefined;
      this.#transmit();
      return;
    }
    if (!isReceived) {
      process.emitWarning('Handle did not reach the receiving process correctly', 'SentHandleNotReceivedWarning');
    }
    this.close();
    const waiting = target._handleQueue;
    target._handleQueue = null;
    for (const { message, handle, options, callback } of waiting) target._send(message, handle, options, callback);
    if (!target.connected && target.channel && !target._handleQueue) target._disconnect();
  }

  /** Closes this end's copy of a handle that was given away. */
  close() {
    if (this.#pending?.isGivenAway) this.#pending.inner.close();
    this.#pending = undefined;
    this.#target._pendingMessage = null;
  }
}

module.exports = { HandleQueue };
