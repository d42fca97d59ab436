'use strict';

// Runs ticks between the messages of a batch, so that the batch needs only one call from native code. Such a call
// costs more than everything else for a small message (docs/decisions/codec.md).

/**
 * Runs the next ticks and microtasks, as Node does at the end of a callback from the event loop. Undocumented, but
 * present since Node 0.10.
 */
const runTicks = process._tickCallback;

let known;

/** Whether a store set by `enterWith` in an AsyncResource's scope ends with it. If not, a tick serves as scope. */
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
  runTicks,
  get isolates() {
    return (known ??= probe());
  },
};
