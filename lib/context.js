'use strict';

// The async context of a launch. The builtin creates the handles of a child (for the process and its pipes) at
// launch. This package creates a stream when it is first accessed, possibly in another context. So the context of the
// launch is saved and entered again.

const { AsyncResource, executionAsyncId, executionAsyncResource, triggerAsyncId } = require('node:async_hooks');
const { findIndex, some } = require('./arrays');
const { isolates } = require('./ticks');

const { getOwnPropertySymbols } = Object;

// The symbols under which an AsyncResource stores its ids, which no method can set. If there are no such symbols, the
// process's own context is used instead of its launcher's.
const probe = new AsyncResource('CHILD_PROCESS_RS_PROBE', { triggerAsyncId: 0, requireManualDestroy: true });
const ID = symbolOf(probe.asyncId());
const TRIGGER_ID = symbolOf(probe.triggerAsyncId());

function symbolOf(value) {
  const symbols = getOwnPropertySymbols(probe);
  return symbols[findIndex(symbols, (symbol) => probe[symbol] === value)];
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
    launcher[ID] = this.#id;
    launcher[TRIGGER_ID] = this.#triggerId;
    return launcher.runInAsyncScope(inDomain);
  }

  /** Whether the current context is known to be the launcher's. Nodes without stores in resources cannot tell. */
  #isCurrent() {
    return !isolates && executionAsyncId() === this.#id && holdSameStores(this.#process, executionAsyncResource());
  }

  /** The process is gone: emits the `destroy` hook. */
  destroy() {
    this.#process.emitDestroy();
  }
}

module.exports = { LaunchContext };
