'use strict';

// The properties and methods that an IPC channel adds to a ChildProcess, or to `process` in a child (Node.js
// documentation, «subprocess.send», «process.channel»).

const EventEmitter = require('node:events');
const { deprecate } = require('node:util');
const { nextTick } = require('../common/clock');
const { channelClosed, disconnected, invalidType } = require('../common/errors');
const { Link } = require('./link');
const { MAJOR } = require('../common/version');

/** `subprocess.channel` and `process.channel`. */
class Control extends EventEmitter {
  #channel;
  #count;
  #isExplicit = false;

  /** `count`: how many listeners there are, if the channel keeps the event loop alive. */
  constructor(channel, count) {
    super();
    this.#channel = channel;
    this.#count = count;
  }

  /** Counts one more listener. The first keeps the event loop alive, unless the program has called ref() or unref(). */
  refCounted() {
    if (++this.#count === 1 && !this.#isExplicit) this.#channel.ref();
  }

  unrefCounted() {
    if (--this.#count === 0 && !this.#isExplicit) this.#channel.unref();
  }

  ref() {
    this.#isExplicit = true;
    this.#channel.ref();
  }

  unref() {
    this.#isExplicit = true;
    this.#channel.unref();
  }

  hasRef() {
    return this.#channel.hasRef();
  }

  get fd() {
    return this.#channel.fd();
  }
}

// Node 26 has removed `_channel`.
const HAS_ALIAS = MAJOR < 26;
const DEPRECATED = '_channel is deprecated. Use ChildProcess.channel instead.';

/**
 * Gives `target` its channel, which is open. `count`: how many listeners keep the event loop alive, as Control counts
 * them.
 */
function setUpChannel(target, link, count) {
  const control = new Control(link, count);
  target.channel = control;
  if (HAS_ALIAS) {
    Object.defineProperty(target, '_channel', {
      get: deprecate(() => target.channel, DEPRECATED, 'DEP0129'),
      set: deprecate((value) => (target.channel = value), DEPRECATED, 'DEP0129'),
      configurable: true,
      enumerable: false,
    });
  }
  target._handleQueue = null;
  target._pendingMessage = null;

  target.on('newListener', () => nextTick(() => link.deliverPending()));

  target.send = function (message, handle, options, callback) {
    if (typeof handle === 'function') {
      callback = handle;
      handle = undefined;
      options = undefined;
    } else if (typeof options === 'function') {
      callback = options;
      options = undefined;
    } else if (options !== undefined && (options === null || typeof options !== 'object' || Array.isArray(options))) {
      throw invalidType('options', 'of type object', options);
    }
    if (options !== undefined) options = { swallowErrors: false, ...options };
    if (this.connected) return this._send(message, handle, options, callback);
    const error = channelClosed();
    if (typeof callback === 'function') nextTick(callback, error);
    else nextTick(() => this.emit('error', error));
    return false;
  };

  target._send = (message, handle, options, callback) => link.send(message, handle, options, callback);

  target.connected = true;

  /** @this {any} */
  target.disconnect = function () {
    if (!this.connected) {
      this.emit('error', disconnected());
      return;
    }
    // From here on `send` fails. Messages that were sent before are still written.
    this.connected = false;
    // Otherwise the channel stays until the sent handles have arrived.
    if (link.disconnect()) this.channel = null;
  };

  target._disconnect = function () {
    this.channel = null;
    link.disconnect();
  };

  return control;
}

module.exports = { Link, setUpChannel };
