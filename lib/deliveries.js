'use strict';

// What has come over a channel and is to be delivered, in order. Something that is missing, a handle or a large message that is
// being sent again, holds back all that came after it.

const { AsyncResource } = require('node:async_hooks');
const { nextTick } = require('./clock');
const { native } = require('./runtime');
const ticks = require('./ticks');

const { isArray } = Array;

/** The queue of one channel. Only `run` delivers, and it does nothing while it is running. */
class Deliveries {
  // Each entry is an array of messages, or a place: `deliver` is the function that delivers what is there; where it is
  // undefined, what is known under `key` is missing.
  #queue = [];
  // The first entry, and in an array the first message, that is not delivered yet.
  #first = 0;
  #next = 0;
  #isRunning = false;
  // Whether a listener has thrown: telling of it takes all async contexts off the stack.
  #hasThrown = false;
  #scope = new AsyncResource('PIPEWRAP');
  #deliver;
  #between;
  #done;

  /** Calls `deliver(message)` for each message, `between()` after it where there were several, and `done()` when it stops. */
  constructor({ deliver, between, done }) {
    this.#deliver = deliver;
    this.#between = between;
    this.#done = done;
  }

  get isRunning() {
    return this.#isRunning;
  }

  get isEmpty() {
    return this.#queue.length === 0;
  }

  /** Whether something is held back. */
  get isHeld() {
    return this.#queue.length > 0 && !this.#isReady();
  }

  /** Adds an array of messages. */
  addMessages(messages) {
    this.#add(messages);
    this.run();
  }

  /** Adds something that `deliver()` delivers; with a key, in the place of what is missing under it. */
  add(deliver, key) {
    const place = key === undefined ? undefined : this.#placeOf(key);
    if (place === undefined) this.#add({ key, deliver });
    else place.deliver = deliver;
    this.run();
  }

  /** What has this key is missing, and will be sent again. */
  addMissing(key) {
    this.#add({ key, deliver: undefined });
  }

  /** What is missing under this key will not come. */
  dropMissing(key) {
    const place = this.#placeOf(key);
    if (place !== undefined) place.deliver = nothing;
    this.run();
  }

  /** Nothing that is missing will come: `report()` is called in the place of each. */
  endMissing(report) {
    for (let i = this.#first; i < this.#queue.length; i++) {
      const place = this.#queue[i];
      if (isMissing(place)) place.deliver = report;
    }
    this.run();
  }

  #add(entry) {
    this.#queue[this.#queue.length] = entry;
  }

  #placeOf(key) {
    for (let i = this.#first; i < this.#queue.length; i++) {
      const place = this.#queue[i];
      if (isMissing(place) && place.key === key) return place;
    }
    return undefined;
  }

  /** Delivers all that is not held back. */
  run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#hasThrown = false;
    try {
      if (this.#isReady()) this.#deliverAll();
    } finally {
      this.#isRunning = false;
      this.#done();
    }
  }

  #isReady() {
    const entry = this.#queue[this.#first];
    return entry !== undefined && !isMissing(entry);
  }

  /** Each message in a tick of its own: what one has set going, promises and ticks, has run when the next one comes. */
  #deliverAll() {
    for (let isFirst = true, isLast = false; !isLast; isFirst = false) {
      const entry = this.#queue[this.#first];
      const message = isArray(entry) ? entry[this.#next++] : undefined;
      if (!isArray(entry) || this.#next === entry.length) this.#advance();
      isLast = !this.#isReady();
      if (isFirst && isLast) {
        // Alone it needs no tick of its own: it is all that this call from the native side delivers.
        this.#deliverEntry(entry, message);
        return;
      }
      try {
        this.#deliverInTick(entry, message);
        // The last one's ticks are run by Node itself.
        if (!isLast) ticks.runTicks();
      } catch (error) {
        // Here, and not by leaving: what ticks leave on the stack of async contexts is only cleared by this.
        native.throwUncaught(error);
      }
      this.#between();
    }
  }

  #advance() {
    this.#next = 0;
    this.#first++;
    if (this.#first < this.#queue.length) return;
    this.#queue = [];
    this.#first = 0;
  }

  #deliverInTick(entry, message) {
    if (ticks.isolates) this.#scope.runInAsyncScope(deliverAndReport, undefined, this, entry, message);
    else if (this.#hasThrown) this.#scope.runInAsyncScope(nextTick, undefined, deliverAndReport, this, entry, message);
    else nextTick(deliverAndReport, this, entry, message);
  }

  #deliverEntry(entry, message) {
    if (isArray(entry)) this.#deliver(message);
    else entry.deliver();
  }

  /** What a listener throws is told here, in its own context. */
  static deliverAndReport(deliveries, entry, message) {
    try {
      deliveries.#deliverEntry(entry, message);
    } catch (error) {
      deliveries.#hasThrown = true;
      native.throwUncaught(error);
    }
  }
}

const { deliverAndReport } = Deliveries;

function nothing() {}

function isMissing(entry) {
  return entry.deliver === undefined && !isArray(entry);
}

module.exports = { Deliveries };
