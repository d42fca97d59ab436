'use strict';

// An IPC channel: what a ChildProcess, or `process` in a child, has of it (Node.js documentation, «subprocess.send»,
// «process.channel»).

const EventEmitter = require('node:events');
const { deprecate } = require('node:util');
const { nextTick } = require('./clock');
const { channelClosed, disconnected, invalidType } = require('./errors');
const { Link } = require('./link');
const { MAJOR } = require('./version');

/** `subprocess.channel` and `process.channel`. */
class Control extends EventEmitter {
  #channel;
  #count = 0;
  #isExplicit = false;

  constructor(channel) {
    super();
    this.#channel = channel;
  }

  /** One more reason to wait for the channel, unless the program has said what it wants. */
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
    return this.#channel.fd;
  }
}

// Node 26 has taken `_channel` away.
const HAS_ALIAS = MAJOR < 26;
const DEPRECATED = '_channel is deprecated. Use ChildProcess.channel instead.';

/**
 * Makes the socket `fd` the channel of `target`. `onClose` is called when the other end is gone.
 */
function setUpChannel(target, fd, options) {
  const link = new Link(target, fd, options);
  const control = new Control(link.channel);
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

  target.disconnect = function () {
    if (!this.connected) {
      this.emit('error', disconnected());
      return;
    }
    // What is sent from here on is refused; what was sent before is still written.
    this.connected = false;
    // Handles arrive first.
    if (link.disconnect()) this.channel = null;
  };

  target._disconnect = function () {
    this.channel = null;
    link.disconnect();
  };

  return control;
}

module.exports = { setUpChannel };
