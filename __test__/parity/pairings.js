'use strict';

// Who sits at the two ends of a channel. A topic that says `paired(scenarios)` runs once for each pairing and each
// serialization; the oracle is the builtin at both ends.

const path = require('node:path');

const { announce, mayBeNative } = require('../helpers/announce');

const BUILTIN = 'node:child_process';
const OURS = process.env.PARITY_SUBJECT ?? path.resolve(__dirname, '../../index.js');
const FOLDER = path.isAbsolute(OURS) ? path.dirname(OURS) : path.resolve(__dirname, '../..');

const ORACLE = { subject: BUILTIN };
const UNPAIRED = { name: '', subject: OURS };
const PAIRINGS = [
  { name: 'ours to ours', subject: OURS },
  { name: 'ours to builtin', subject: OURS, childEnd: 'builtin' },
  { name: 'builtin to ours', subject: BUILTIN, childEnd: 'ours' },
];
const SERIALIZATIONS = ['json', 'advanced'];

const kPaired = Symbol('paired');

/** Marks the scenarios of a topic; `pairings` and `serializations` leave out those that can show nothing new. */
function paired(scenarios, { pairings = PAIRINGS.map(({ name }) => name), serializations = SERIALIZATIONS } = {}) {
  return Object.defineProperty(scenarios, kPaired, { value: { pairings, serializations } });
}

/**
 * One entry for each serialization: the sides that are compared with the oracle. PARITY_PAIRING (a substring) narrows
 * them.
 */
function settingsOf(scenarios) {
  const marked = scenarios[kPaired];
  if (!marked) return [{ sides: [UNPAIRED] }];
  const wanted = process.env.PARITY_PAIRING ?? '';
  const sides = PAIRINGS.filter(({ name }) => marked.pairings.includes(name) && name.includes(wanted));
  return sides.length === 0 ? [] : marked.serializations.map((serialization) => ({ serialization, sides }));
}

/** The module, told which end its fork() is to give to children; called in the process that forks. */
function withChildEnd(cp, childEnd) {
  if (childEnd === 'builtin') return { ...cp, fork: (...args) => forkWithBuiltinEnd(cp, args) };
  return childEnd === 'ours' ? { ...cp, fork: (...args) => forkWithOurEnd(cp, args) } : cp;
}

// As a tracer would, so that nothing is seen of it in the options.
function forkWithPatch(cp, args, beforeSpawn) {
  const { prototype } = cp.ChildProcess;
  const { spawn } = prototype;
  prototype.spawn = function (options) {
    beforeSpawn(this, options);
    return spawn.call(this, options);
  };
  try {
    return cp.fork(...args);
  } finally {
    prototype.spawn = spawn;
  }
}

function forkWithBuiltinEnd(cp, args) {
  return forkWithPatch(cp, args, ({ _handle: handle }) => {
    handle.mayBeNative = false;
  });
}

// What the builtin is about to hand to the kernel is changed at the last moment.
function forkWithOurEnd(cp, args) {
  return forkWithPatch(cp, args, ({ _handle: handle }, { file, args, uid, gid }) => {
    const start = handle.spawn;
    handle.spawn = (...values) => {
      delete handle.spawn;
      // One object up to Node 22, its values since.
      const envPairs = values.length === 1 ? values[0].envPairs : values[3];
      const env = Object.fromEntries(envPairs.map((pair) => pair.split(/=(.*)/s)));
      if (mayBeNative({ execPath: file, env, uid, gid }, args)) announce(envPairs, FOLDER);
      return start.apply(handle, values);
    };
  });
}

module.exports = { BUILTIN, ORACLE, OURS, paired, settingsOf, withChildEnd };
