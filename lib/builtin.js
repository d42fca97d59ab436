'use strict';

// Node's own child_process, and who has hooked into it. Coverage tools (nyc, spawn-wrap) replace the method with which
// the builtin's functions start a process, and Electron and tracers some of the functions; they expect to see every
// child.

// Where `register` keeps the builtin's functions: there may be several copies of this package, and in jest one a file
// of tests.
const KEPT = Symbol.for('child-process-rs.builtin');

// A mock of a test's is a module of its own, which is no hook, and is not looked at where Node lets us.
const exported = process.getBuiltinModule?.('child_process') ?? require('node:child_process');

/** What the builtin exported when this package was first loaded: `register` puts ours in its place later. */
const builtin = exported[KEPT] ?? { ...exported };

// Undefined where this package is being loaded as a mock of the builtin.
const prototype = builtin.ChildProcess?.prototype;

// Each of Node's functions calls one of these, which nobody else has. A function of Node's that was not recognised
// would be taken for a hook, and the builtin would do its work.
const OF_NODE = /\b(normalize(Spawn|Exec|ExecFile)Arg(ument)?s|validateArgumentsNullCheck|this\._handle\.spawn)\(/;

function isOfNode(value) {
  return typeof value === 'function' && OF_NODE.test(Function.prototype.toString.call(value));
}

const spawnMethod = isOfNode(prototype?.spawn) ? prototype.spawn : undefined;

/**
 * Whether somebody has replaced the method with which the builtin starts processes. The builtin is to start them, then.
 */
function isHooked() {
  return prototype?.spawn !== spawnMethod;
}

/** `functions`, but the builtin's where somebody had replaced that before this package was loaded. */
function withHooks(functions) {
  const result = { ...functions };
  const names = Object.keys(functions);
  for (let i = 0; i < names.length; i++) {
    const current = builtin[names[i]];
    if (typeof current === 'function' && !isOfNode(current)) result[names[i]] = current;
  }
  return result;
}

/** Puts `functions` in the place of the builtin's. */
function replaceBuiltin(functions) {
  Object.defineProperty(exported, KEPT, { value: builtin, configurable: true });
  return Object.assign(exported, functions);
}

module.exports = { builtin, isHooked, replaceBuiltin, withHooks };
