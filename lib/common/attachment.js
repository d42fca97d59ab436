'use strict';

// Values attached to objects invisibly, as by a WeakMap, but cheaper (docs/decisions/process-class.md): as a private
// field. A class adds its private fields to whatever object the constructor of its parent class returns.

/** @type {any} */
const Itself = function (object) {
  return object;
};

/** Attaches one value to each of any objects. */
function attachment() {
  return class Attachment extends Itself {
    #value;

    constructor(object, value) {
      super(object);
      this.#value = value;
    }

    /** Replaces the value that `object` may have already. */
    static set(object, value) {
      if (#value in object) object.#value = value;
      else new Attachment(object, value);
    }

    /** The value of `object`; undefined if it has none, or is not an object. */
    static get(object) {
      return typeof object === 'object' && object !== null && #value in object ? object.#value : undefined;
    }
  };
}

module.exports = { attachment };
