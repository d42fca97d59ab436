'use strict';

// One end of an IPC channel as JavaScript sees it: what is between the native end and the object that has the channel. Messages
// are serialised, written, read and parsed natively.

const { AsyncResource } = require('node:async_hooks');
const { constants } = require('node:buffer');
const { nextTick, setTimeout } = require('./clock');
const { native, runtime, told } = require('./runtime');

// A child's start waits for this file, so others are loaded when they are needed.
let pack;
let serialization;
let ticks;
const lazy = {
  get errors() {
    return require('./errors');
  },
  get Passing() {
    return require('./passing').Passing;
  },
  get pack() {
    return (pack ??= require('./pack'));
  },
  get serialization() {
    return (serialization ??= require('./serialization'));
  },
  get ticks() {
    return (ticks ??= require('./ticks'));
  },
};

const { stringify } = JSON;

// In what form `write` takes a message.
const PLAIN = 0;
const TEXT = 1;
const SERIALIZED = 2;
const TREE = 3;
const BYTES = 4;
const ARRAY_BUFFER = 5;
const PACKED = 6;
const AWAITED = 8;
const UNHEARD = 16;
// Later messages need what it tells.
const NEEDED = 32;

// What `write` says; undefined is ROOM alone.
const [ROOM, WRITTEN, FLUSH, CROWDED] = [1, 2, 4, 8];

// After so long the kernel may take more descriptors, ms.
const CROWDED_DELAY = 5;

// How the `cmd` of internal messages begins.
const INTERNAL = 'NODE_';

// How long an end looks for a quick answer before it goes back to the loop, microseconds; 0 never looks.
const BUSY_POLL = 50;
// The longest frame of the advanced mode.
const LONGEST_FRAME = 2 ** 32 - 1;

// Where packed messages are put to be read.
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

// Called on a Link.
const events = {
  onMessages(messages) {
    this.confirm();
    if (messages !== undefined && this.hold(() => this.deliverAll(messages))) return false;
    return this.deliverAll(messages);
  },
  onInternal(message) {
    this.confirm();
    if (!this.hold(() => this.deliverInternal(message))) this.deliverInternal(message);
  },
  onHandle(message, fd, made, number) {
    this.confirm();
    this.passing.receive(message, fd, made, number);
  },
  onLost(number) {
    this.passing.lose(number);
  },
  onUndelivered(wasSent) {
    this.passing.reportUndelivered(wasSent);
  },
  onArrived() {
    this.handlesArrived();
  },
  onCrowded() {
    this.tryLater();
  },
  onNative() {
    this.packs();
  },
  onEnd(isPartial) {
    this.confirm();
    this.end(isPartial);
  },
  onBroken(error) {
    this.confirm();
    this.reportBroken(error === true ? new Error('the memory that it is in has not arrived') : error);
  },
  onWritten(count) {
    this.settle(count, null);
  },
  onFailed(errno) {
    this.fail(errno);
  },
};

native.setChannelHooks(runtime, {
  ...Object.fromEntries(Object.entries(events).map(([name, body]) => [name, told(body)])),
  parse: JSON.parse,
  deserialize: (bytes) => lazy.serialization.deserialize(bytes),
  scratch,
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
  // Whether the other end is known to read packed messages.
  #packs = false;
  #packer;
  #unpacker;
  #callbacks = [];
  #pending = [];
  #isFinished = false;
  // Emits 'disconnect', once it has been asked for.
  #whenOver;
  // The messages that are being delivered, and the next one's index.
  #messages;
  #next = 0;
  // Whether a listener has thrown: telling of it takes all async contexts off the stack.
  #hasThrown = false;
  // Whether answers wait for the end of the delivery.
  #hasAnswered = false;
  #scope = new AsyncResource('PIPEWRAP');
  #lazyPassing;
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
    this.unpack = (from) => this.#unpack(from);
    // Becomes the native function that sends.
    this.write = undefined;
    this.#number = native.openChannel(runtime, this, fd, isAdvanced, busyPoll(spin), limit);
    if (this.#number < 0) throw lazy.errors.errnoError(this.#number, 'ipc');
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

  /** What sends and receives handles. */
  get passing() {
    return (this.#lazyPassing ??= new lazy.Passing(this.#target, this, this.#number));
  }

  hold(deliver) {
    return this.#lazyPassing !== undefined && this.#lazyPassing.hold(deliver);
  }

  /** Whether handles that were sent are still to be acknowledged; `handlesArrived` is called when they are. */
  awaitHandles() {
    return !this.#isOver && native.awaitHandles(this.#number);
  }

  handlesArrived() {
    this.#lazyPassing?.letGo();
    const target = this.#target;
    if (!target.connected && target.channel) target._disconnect();
  }

  /** The kernel takes no more descriptors: others have to be received first, maybe another process's. */
  tryLater() {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.flush();
    }, CROWDED_DELAY);
  }

  introduce() {
    native.introduce(this.#number);
    this.packs();
  }

  /** The other end reads packed messages. */
  packs() {
    this.#packs = !this.#isAdvanced;
  }

  #unpack(from) {
    this.#unpacker ??= new lazy.pack.Unpacker();
    return typeof from === 'number' ? this.#unpacker.unpack(scratch, from) : this.#unpacker.unpack(from, from.length);
  }

  /** What the other end does shows that it is there. */
  confirm() {
    this.#beforeFirst?.();
    this.#beforeFirst = undefined;
  }

  /** Sends; false: the other end is behind, and the sender should wait. `isInternal`: it is for the other end itself. */
  send(message, callback, swallowErrors, isInternal = false) {
    const isAwaited = typeof callback === 'function';
    const sent = this.#write(message, isAwaited ? AWAITED : swallowErrors ? 0 : UNHEARD, isInternal);
    if (sent === undefined) {
      this.#hasAnswered = true;
      if (isAwaited) this.#callbacks.push(inThisContext(callback, swallowErrors));
      return true;
    }
    return this.#afterSend(sent, callback, swallowErrors);
  }

  #write(message, how, isInternal) {
    if (typeof message !== 'object' || message === null) return this.write(message, PLAIN | how);
    if (this.#packs && !isInternal) {
      this.#packer ??= new lazy.pack.Packer();
      const length = this.#packer.pack(message);
      if (length > 0) return this.write(pack.output.bytes, (this.#packer.hasTold ? NEEDED : 0) | PACKED | how, length);
      if (length === pack.UNDEFINED) return this.write('undefined', TEXT | how);
    }
    if (!this.#isAdvanced) {
      // What `toJSON` makes undefined has no text; the builtin sends this word all the same.
      return this.write(stringify(message) ?? 'undefined', TEXT | how);
    }
    const { copyOfTree, isArrayBuffer, isBuffer, serialize } = lazy.serialization;
    const tree = copyOfTree(message);
    if (tree !== undefined) return this.write(stringify(tree), TREE | how);
    if (isBuffer(message)) return this.write(message, BYTES | how);
    if (isArrayBuffer(message)) return this.write(message, ARRAY_BUFFER | how);
    return this.write(serialize(message), SERIALIZED | how);
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
    const error = lazy.errors.errnoError(errno, 'write');
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
    for (const call of this.#callbacks.splice(0, count)) call(error);
  }

  /** What was sent could not be written. Of what had to wait for room only those hear who asked, as with the builtin. */
  fail(errno) {
    this.#failAwaited(errno);
    if (native.takeLost(this.#number)) this.refuse(errno);
  }

  #failAwaited(errno) {
    this.settle(this.#callbacks.length, lazy.errors.errnoError(errno, 'write'));
  }

  /**
   * Delivers messages, each in a tick of its own: what one has set going, promises and ticks, has run when the next one
   * comes. Without an argument it goes on after one that has thrown. Says whether there are more.
   */
  deliverAll(messages) {
    if (messages !== undefined) {
      this.#messages = messages;
      this.#next = 0;
      this.#hasThrown = false;
    }
    const { length } = this.#messages ?? '';
    if (length === 1) {
      const [message] = this.#messages;
      this.#messages = undefined;
      this.deliver(message);
      return false;
    }
    const { isolates, runTicks } = lazy.ticks;
    while (this.#next < length) {
      const message = this.#messages[this.#next++];
      const isLast = this.#next === length;
      try {
        if (isolates) this.#scope.runInAsyncScope(deliver, undefined, this, message);
        else if (this.#hasThrown) this.#scope.runInAsyncScope(nextTick, undefined, deliver, this, message);
        else nextTick(deliver, this, message);
        // The last one's are run by Node itself.
        if (!isLast && runTicks !== undefined) runTicks();
      } catch (error) {
        // Here, and not by leaving: what ticks leave on the stack of async contexts is only cleared by this.
        native.throwUncaught(error);
      }
      if (runTicks === undefined && !isLast) return true;
      if (this.#hasAnswered) this.#writeAnswers();
    }
    this.#messages = undefined;
    if (this.#whenOver && !native.endChannel(this.#number)) nextTick(this.#whenOver);
    return false;
  }

  #writeAnswers() {
    this.#hasAnswered = false;
    this.flush();
  }

  /** What a listener throws is told here, in its own context. */
  deliverWhole(message) {
    try {
      this.deliver(message);
    } catch (error) {
      this.#hasThrown = true;
      native.throwUncaught(error);
    }
  }

  deliver(message, handle) {
    if (this.#target.listenerCount('message') > 0) this.#target.emit('message', message, handle);
    else this.#pending.push([message, handle]);
  }

  deliverInternal(message, handle) {
    const { cmd } = message;
    if (cmd === 'NODE_HANDLE_ACK' || cmd === 'NODE_HANDLE_NACK') this.passing.acknowledge(cmd === 'NODE_HANDLE_ACK');
    this.#target.emit('internalMessage', message, handle);
  }

  /** Delivers what came with a handle; it may be an internal message. */
  deliverAny(message, handle) {
    const isInternal = typeof message?.cmd === 'string' && message.cmd.length > INTERNAL.length && message.cmd.startsWith(INTERNAL);
    if (isInternal) this.deliverInternal(message, handle);
    else this.deliver(message, handle);
  }

  /** Emits the messages that waited for a listener. */
  deliverPending() {
    if (this.#pending.length === 0 || this.#target.listenerCount('message') === 0) return;
    for (const [message, handle] of this.#pending.splice(0)) this.#target.emit('message', message, handle);
  }

  /** What came is no message; undefined: it is too long for one. */
  reportBroken(cause) {
    this.report(lazy.errors.brokenMessage(cause));
  }

  /** Something is wrong with what came; it is no reason to throw. */
  report(error) {
    if (this.#target.listenerCount('error') > 0) this.#target.emit('error', error);
    else process.emitWarning(error);
  }

  /** Asked for by this end: what has come already is still delivered. */
  disconnect() {
    this.#whenOver = AsyncResource.bind(() => {
      try {
        this.#beforeDisconnect(() => this.#finish());
      } catch (error) {
        native.throwUncaught(error);
      }
    });
    if (this.#messages === undefined && !native.endChannel(this.#number)) nextTick(this.#whenOver);
  }

  /** No message will come any more. */
  end(isPartial) {
    const target = this.#target;
    if (this.#whenOver) {
      this.#whenOver();
      return;
    }
    this.#isOver = true;
    this.#lazyPassing?.end();
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
    this.#lazyPassing?.letGo();
    this.settle(this.#callbacks.length, lazy.errors.channelClosed());
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

function deliver(link, message) {
  link.deliverWhole(message);
}

function flush(link) {
  link.flush();
}

module.exports = { Link };
