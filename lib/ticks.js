'use strict';

// How several messages that came in one read are delivered without going back to the native side, and the engine, for each:
// entering JavaScript costs more than all the rest of a small message (docs/decisions/codec.md).

/** Runs the next ticks and the microtasks, as Node does when a callback from the loop ends. Undocumented, there since Node 0.10. */
const runTicks = process._tickCallback;

let known;

/** Whether what `enterWith` does in a resource's scope ends with the scope; where it doesn't, ticks serve as scopes. */
function probe() {
  const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
  const storage = new AsyncLocalStorage();
  const resource = new AsyncResource('CHILD_PROCESS_RS_PROBE');
  resource.runInAsyncScope(() => storage.enterWith(true));
  const isolates = resource.runInAsyncScope(() => storage.getStore()) === undefined;
  // On older Nodes it would go on hooking into every promise of the program.
  storage.disable();
  return isolates;
}

module.exports = {
  runTicks,
  get isolates() {
    return (known ??= probe());
  },
};
