'use strict';

// Being there when Node loads its child_process, without loading it: under NODE_OPTIONS every Node process of a build
// has `register`, and most of them never ask for child_process, which takes 2 ms to load.

const { whetherLoaded } = require('./listed');

// Of Node's, so small that it loads in no time, and asked for by hardly anybody.
const PROBE = 'path/win32';

/**
 * Calls `body` when Node has loaded its module `name` and nobody has seen it yet: its name is then pushed to
 * process.moduleLoadList, which asks the list's prototype. Returns a function that takes this back.
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
 * Whether this Node keeps its list so. The list is another one in a context of its own, as jest's; and a second copy
 * of this package finds the probe loaded.
 */
function isTold() {
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

/** Calls `body` once Node's child_process is loaded; at once where it is, or where nothing would tell. */
function whenLoaded(body) {
  if (!isLoaded() && isTold()) onListed('child_process', body);
  else body();
}

module.exports = { whenLoaded };
