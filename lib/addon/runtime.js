'use strict';

// This copy of the addon at work.

const { hooks } = require('../common/errors');
const { native } = require('./native');
const node = require('./node');

/**
 * Calls `body`, for native code: what it throws is told to `uncaughtException` right there, in the async context that
 * it was thrown in; and is thrown on, so that Node leaves that context as after any other exception.
 */
function tell(body) {
  try {
    return body();
  } catch (error) {
    native.tellThrown(error);
    throw error;
  }
}

/** A function that does so. */
function told(body) {
  /** @this {any} */
  return function (...args) {
    return tell(() => Reflect.apply(body, this, args));
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

// The number that the native functions for channels take first.
const runtime = native.open({ ...hooks, node });

// Errnos and signals by their names: `node:os` takes 0.2 ms to load.
const numbers = native.numbers();

module.exports = { native, numbers, runtime, shapeOf, tell, told };
