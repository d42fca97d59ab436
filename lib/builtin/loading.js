'use strict';

// Waits until Node loads its child_process. If `register` is in NODE_OPTIONS, every Node process of a build loads it,
// and most of them never need child_process, which takes 2 ms to load.

const { whetherLoaded } = require('./listed');

// A module of Node that is small, and hardly ever loaded.
const PROBE = 'path/win32';

/**
 * Calls `body` when Node has loaded its module `name`, before anybody gets it: Node then pushes the name to
 * process.moduleLoadList, and a proxy as the list's prototype sees that. Returns a function that removes the proxy.
 */
function onListed(name, body) {
  const { moduleLoadList } = process;
  const before = Object.getPrototypeOf(moduleLoadList);
  const restore = () => Object.setPrototypeOf(moduleLoadList, before);
  const set = (target, key, value, list) => {
    const isSet = Reflect.set(target, key, value, list);
    if (value === `NativeModule ${name}`) {
      restore();
      body();
    }
    return isSet;
  };
  Object.setPrototypeOf(moduleLoadList, new Proxy(before, { set }));
  return restore;
}

/**
 * Whether this works here. In another vm context, such as jest's, process.moduleLoadList is a copy; and a second copy
 * of this package finds the probe already loaded.
 */
function isListObservable() {
  if (!Array.isArray(process.moduleLoadList)) return false;
  let isListed = false;
  const restore = onListed(PROBE, () => {
    isListed = true;
  });
  require(`node:${PROBE}`);
  restore();
  return isListed;
}

const isLoaded = whetherLoaded('child_process');

/** Calls `body` once Node's child_process is loaded; at once if it is loaded, or if that cannot be observed. */
function whenLoaded(body) {
  if (!isLoaded() && isListObservable()) onListed('child_process', body);
  else body();
}

module.exports = { whenLoaded };
