'use strict';

// Runs ticks between the messages of a batch, so that the batch needs only one call from native code. Such a call
// costs more than everything else for a small message (docs/decisions/codec.md).

const { whetherLoaded } = require('../builtin/listed');
const { MAJOR } = require('./version');

/**
 * Runs the next ticks and microtasks, as Node does at the end of a callback from the event loop. Undocumented, but
 * present since Node 0.10.
 */
const runTicks = process._tickCallback;

// Node 20 has AsyncLocalStorage from the start.
const HAS_STORES_AT_START = MAJOR < 22;
const isStorageLoaded = whetherLoaded('internal/async_local_storage');

let known = HAS_STORES_AT_START ? false : undefined;

/** Whether there may be stores of an AsyncLocalStorage. */
const mayBeStored = () => HAS_STORES_AT_START || isStorageLoaded();

function probe() {
  const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
  const storage = new AsyncLocalStorage();
  const resource = new AsyncResource('CHILD_PROCESS_RS_PROBE');
  resource.runInAsyncScope(() => storage.enterWith(true));
  const isolates = resource.runInAsyncScope(() => storage.getStore()) === undefined;
  // On older Nodes an enabled storage hooks into every promise of the program.
  storage.disable();
  return isolates;
}

module.exports = {
  mayBeStored,
  runTicks,
  /**
   * Whether a store set by `enterWith` in an AsyncResource's scope ends with that scope. If not, a tick serves as
   * scope. Finding out takes as long as delivering fifty messages, so it is not done before there are stores; until
   * then this is what is usual for this version of Node.
   */
  get isolates() {
    return known ?? (mayBeStored() ? (known = probe()) : MAJOR >= 24);
  },
};
