'use strict';

// The queue of messages that a channel has received and has to deliver in order. If something is missing (a handle or a
// large message that could not be received and will be sent again), it blocks everything that came after it.

const { AsyncResource } = require('node:async_hooks');
const { nextTick } = require('../common/clock');
const { native } = require('../addon/runtime');
const ticks = require('../common/ticks');

const { isArray } = Array;

/** The queue of one channel. */
class Deliveries {
  // Each entry is an array of messages, or a place `{ key, deliver }` for one thing. The function `deliver` delivers
  // it; it is undefined as long as the thing is missing.
  #queue = [];
  // The index of the first entry that has not been delivered, and in an array that of its first such message.
  #first = 0;
  #next = 0;
  /** Whether messages are being delivered. Not a getter, whose first call would take tens of microseconds. */
  isRunning = false;
  // Whether a listener has thrown in this run: reporting that has cleared Node's stack of async contexts.
  #hasThrown = false;
  #scope = new AsyncResource('PIPEWRAP');
  #deliver;
  #between;
  #done;

  /**
   * Calls `deliver(message)` for each message, `between()` after each if there are several, and `done()` at the end of
   * a run.
   */
  constructor({ deliver, between, done }) {
    this.#deliver = deliver;
    this.#between = between;
    this.#done = done;
  }

  /** Adds an array of messages. */
  addMessages(messages) {
    this.#add(messages);
    this.run();
  }

  /** Adds something that `deliver()` delivers. With a key, it is put in the place of what is missing under that key. */
  add(deliver, key) {
    const place = key === undefined ? undefined : this.#placeOf(key);
    if (place === undefined) this.#add({ key, deliver });
    else place.deliver = deliver;
    this.run();
  }

  /** Something is missing and will be sent again: adds a place for it. */
  addMissing(key) {
    this.#add({ key, deliver: undefined });
  }

  /** What is missing under this key will not come any more. */
  dropMissing(key) {
    const place = this.#placeOf(key);
    if (place !== undefined) place.deliver = nothing;
    this.run();
  }

  /** Nothing that is missing will come any more: calls `report()` in the place of each. */
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

  /** Delivers everything that is not blocked. Does nothing if it is already running. */
  run() {
    if (this.isRunning) return;
    this.isRunning = true;
    this.#hasThrown = false;
    try {
      if (this.#isReady()) this.#deliverAll();
    } finally {
      this.isRunning = false;
      this.#done();
    }
  }

  #isReady() {
    const entry = this.#queue[this.#first];
    return entry !== undefined && !isMissing(entry);
  }

  /** Delivers each message in its own tick: ticks and promises that one causes run before the next one is delivered. */
  #deliverAll() {
    for (let isFirst = true, isLast = false; !isLast; isFirst = false) {
      const entry = this.#queue[this.#first];
      const message = isArray(entry) ? entry[this.#next++] : undefined;
      if (!isArray(entry) || this.#next === entry.length) {
        this.#advance();
        isLast = !this.#isReady();
      }
      if (isFirst && isLast) {
        // A single message needs no tick of its own, because Node runs the ticks after this call from native code.
        this.#deliverEntry(entry, message);
        return;
      }
      try {
        // Without stores, there is nothing that the listeners of one message could leave behind for those of the next.
        if (this.#hasThrown || ticks.mayBeStored()) this.#deliverInTick(entry, message);
        else deliverAndReport(this, entry, message);
        // After the last message, Node itself runs the ticks.
        if (!isLast) ticks.runTicks();
      } catch (error) {
        // Reported here instead of thrown, because only this clears what the ticks left on the stack of async contexts.
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

  /** Delivers a message. If a listener throws, reports that here, in the listener's async context. */
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
