'use strict';

// Loaded before each program: sees at its end that something was started, and all of it by whom it should be.

const builtin = require('node:child_process');
const diagnostics = require('node:diagnostics_channel');

function watch(expected, ours) {
  const { ChildProcess, spawnSync } = expected === 'ours' ? ours : builtin;
  const children = [];
  diagnostics.subscribe('child_process', ({ process: child }) => children.push(child));

  process.on('exit', (code) => {
    if (code !== 0) return;
    const strangers = children.filter((child) => Object.getPrototypeOf(child) !== ChildProcess.prototype);
    // Synchronous calls make no ChildProcess.
    if (children.length > 0 && strangers.length === 0 && builtin.spawnSync === spawnSync) return;
    console.error(`${strangers.length} of ${children.length} children were not started by ${expected}`);
    process.exitCode = 1;
  });
}

const { EXPECTED, OURS } = process.env;
if (EXPECTED !== undefined) {
  // A program's own children are Nodes with the same preloads, and start nothing.
  delete process.env.EXPECTED;
  const ours = require(OURS);
  if (!ours.isNative) throw new Error('the builtin stands in for ours: there is nothing to test');
  watch(EXPECTED, ours);
}
