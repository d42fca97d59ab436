'use strict';

// The async context of a launch. The builtin makes a child's handles, the process and its pipes, when it launches it; we make a
// stream when it is first touched, maybe in another context. So the launch is remembered, and entered again.

const { AsyncResource, executionAsyncId, executionAsyncResource, triggerAsyncId } = require('node:async_hooks');
const { findIndex, some } = require('./arrays');
const { whetherLoaded } = require('./listed');
const ticks = require('./ticks');

const { getOwnPropertySymbols } = Object;

// Node 20 has it from the start.
const AsyncLocalStorage = Number(process.versions.node.split('.')[0]) < 22 ? 'async_hooks' : 'internal/async_local_storage';
const mayBeStored = whetherLoaded(AsyncLocalStorage);

let symbols;

/**
 * Under which symbols an AsyncResource has its ids: it has no method that sets them. Where there are no such symbols, a launch
 * is entered as its process.
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

/** Whether two resources hold the same stores of every AsyncLocalStorage, on Nodes where resources hold them. */
function holdSameStores(one, other) {
  const differs = (symbol) => symbol.description === 'kResourceStore' && one[symbol] !== other[symbol];
  return !some(getOwnPropertySymbols(one), differs) && !some(getOwnPropertySymbols(other), differs);
}

/** Made at the launch of a process, in the context that launches it. */
class LaunchContext {
  #id = executionAsyncId();
  #triggerId = triggerAsyncId();
  // Undefined where nobody has loaded the module `domain`.
  #domain = process.domain;
  // Has the launch's stores of every AsyncLocalStorage, too.
  #process = new AsyncResource('PROCESSWRAP', { requireManualDestroy: true });

  /** What `body` returns, called as something that the process does. */
  runAsProcess(body) {
    return this.#process.runInAsyncScope(body);
  }

  /** The same, as something that is done by what launched the process. */
  runAsLauncher(body) {
    const inDomain = () => (this.#domain ? this.#domain.run(body) : body());
    if (this.#isCurrent()) return inDomain();
    const launcher = Object.create(this.#process);
    const { id, triggerId } = symbolsOfIds();
    launcher[id] = this.#id;
    launcher[triggerId] = this.#triggerId;
    return launcher.runInAsyncScope(inDomain);
  }

  /** Whether the current context is known to be the same. Where resources don't hold the stores, nothing tells whether those are. */
  #isCurrent() {
    if (executionAsyncId() !== this.#id) return false;
    return !mayBeStored() || (!ticks.isolates && holdSameStores(this.#process, executionAsyncResource()));
  }

  /** The process does nothing any more. */
  destroy() {
    this.#process.emitDestroy();
  }
}

module.exports = { LaunchContext };
