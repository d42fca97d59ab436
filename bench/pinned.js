'use strict';

const { spawnSync } = require('node:child_process');

const taskset = (...args) => spawnSync('taskset', args.map(String)).status === 0;

const isUsable = new Map();

/** Whether this process may run on that CPU, and taskset is there to say so. */
function canUse(cpu) {
  if (!isUsable.has(cpu)) isUsable.set(cpu, taskset('-c', cpu, 'true'));
  return isUsable.get(cpu);
}

/**
 * What to put before a command so that it and all that it starts stay on these CPUs; undefined where that cannot be
 * had.
 */
function pinned(cpus) {
  return cpus.every(canUse) ? ['taskset', '-c', cpus.join(',')] : undefined;
}

/** Moves the main thread of a running process; its other threads stay where they may be. */
function pinTo(cpu, pid) {
  if (!taskset('-c', '-p', cpu, pid)) throw new Error(`taskset cannot pin ${pid} to CPU ${cpu}`);
}

module.exports = { pinned, pinTo };
