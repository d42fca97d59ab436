'use strict';

// The async context of a launch. The builtin creates the handles of a child (for the process and its pipes) at
// launch. This package creates a stream when it is first accessed, possibly in another context. So the context of the
// launch is saved and entered again.

const { AsyncResource, executionAsyncId, executionAsyncResource, triggerAsyncId } = require('node:async_hooks');
const { findIndex, some } = require('../common/arrays');
const ticks = require('../common/ticks');

const { getOwnPropertySymbols } = Object;

let symbols;

/**
 * Under which symbols an AsyncResource has its ids: it has no method that sets them. Where there are no such symbols,
 * a launch is entered as its process.
 */
function symbolsOfIds() {
  if (symbols === undefined) {
    const probe = new AsyncResource('CHILD_PROCESS_RS_PROBE', { triggerAsyncId: 0, requireManualDestroy: true });
    symbols = { id: symbolOf(probe, probe.asyncId()), triggerId: symbolOf(probe, probe.triggerAsyncId()) };
  }
  return symbols;
}

function symbolOf(resource, value) {
  const own = getOwnPropertySymbols(resource);
  return own[findIndex(own, (symbol) => resource[symbol] === value)];
}

/** Whether two resources have the same store for every AsyncLocalStorage. Only some Nodes keep stores in resources. */
function holdSameStores(one, other) {
  const differs = (symbol) => symbol.description === 'kResourceStore' && one[symbol] !== other[symbol];
  return !some(getOwnPropertySymbols(one), differs) && !some(getOwnPropertySymbols(other), differs);
}

/** The context of a launch. Must be created in the context that launches the process. */
class LaunchContext {
  #id = executionAsyncId();
  #triggerId = triggerAsyncId();
  // Undefined if the module `domain` has not been loaded.
  #domain = process.domain;
  // Also has the launch's store for every AsyncLocalStorage.
  #process = new AsyncResource('PROCESSWRAP', { requireManualDestroy: true });

  /** Runs `body` in the async context of the process, and returns its result. */
  runAsProcess(body) {
    return this.#process.runInAsyncScope(body);
  }

  /** Runs `body` in the async context that launched the process, and returns its result. */
  runAsLauncher(body) {
    const inDomain = () => (this.#domain ? this.#domain.run(body) : body());
    if (this.#isCurrent()) return inDomain();
    const launcher = Object.create(this.#process);
    const { id, triggerId } = symbolsOfIds();
    launcher[id] = this.#id;
    launcher[triggerId] = this.#triggerId;
    return launcher.runInAsyncScope(inDomain);
  }

  /** Whether the current context is known to be the launcher's. Nodes without stores in resources cannot tell. */
  #isCurrent() {
    if (executionAsyncId() !== this.#id) return false;
    return !ticks.mayBeStored() || (!ticks.isolates && holdSameStores(this.#process, executionAsyncResource()));
  }

  /** The process is gone: emits the `destroy` hook. */
  destroy() {
    this.#process.emitDestroy();
  }
}

module.exports = { LaunchContext };
