'use strict';

// The addon as the other files use it: with this copy of `lib/` registered for channels.

const { hooks } = require('../common/errors');
const { native } = require('./native');
const node = require('./node');

/**
 * Calls `body` on behalf of native code. What it throws is passed to `uncaughtException` at once, in the async context
 * in which it was thrown, and thrown on, so that Node leaves that context as after any other exception.
 */
function reportThrown(body) {
  try {
    return body();
  } catch (error) {
    native.reportUncaught(error);
    throw error;
  }
}

/** A function that calls `body` in this way. */
function reporting(body) {
  /** @this {any} */
  return function (...args) {
    return reportThrown(() => Reflect.apply(body, this, args));
  };
}

/**
 * A class with the methods of a native class. Its constructor does not call the addon: the native function to which an
 * object of it is passed, such as `spawn`, completes the object.
 * @template T
 * @param {T} native
 * @returns {T}
 */
function shapeOf(native) {
  /** @type {any} */
  const Shape = function () {};
  Shape.prototype = /** @type {any} */ (native).prototype;
  return Shape;
}

// The number of this copy of `lib/`, which the native functions that open channels take.
const runtime = native.open({ ...hooks, node });

// Errnos and signals by their names: `node:os` takes 0.2 ms to load.
const numbers = native.numbers();

module.exports = { native, numbers, reportThrown, reporting, runtime, shapeOf };
