'use strict';

const { monitorEventLoopDelay } = require('node:perf_hooks');

const RESOLUTION_MS = 1;

/**
 * How late the event loop is, by `perf_hooks.monitorEventLoopDelay`. Node records the time between two ticks of a
 * timer, so an idle loop reads as the timer's own interval: that is subtracted. Bun records the lateness itself; Deno's
 * values are neither, so it gives none.
 */
function loopDelay() {
  if (globalThis.Deno) return { start() {}, p99: () => undefined };
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const interval = globalThis.Bun ? 0 : RESOLUTION_MS;
  return {
    start: () => histogram.enable(),
    p99() {
      histogram.disable();
      return Math.max(0, histogram.percentile(99) / 1e6 - interval);
    },
  };
}

module.exports = { loopDelay };
