'use strict';

// Node's own child_process, and who has hooked into it. Coverage tools (nyc, spawn-wrap) replace the method with which
// the builtin's functions start a process, and Electron and tracers some of the functions; they expect to see every
// child. A module that has not been loaded cannot have been hooked into, and we do not load it to find out: it takes 2
// ms.

const { mainProcess } = require('../common/clock');
const { whetherLoaded } = require('./listed');

// Where `register` keeps the builtin's functions: there may be several copies of this package, and in jest one a file
// of tests.
const KEPT = Symbol.for('child-process-rs.builtin');

// The functions of every copy of this package: a program may have put them in the place of Node's by itself.
const OURS = Symbol.for('child-process-rs.functions');
if (!mainProcess[OURS]) Object.defineProperty(mainProcess, OURS, { value: new WeakSet() });

// Each of Node's functions calls one of these, which nobody else has. A function of Node's that was not recognised
// would be taken for a hook, and the builtin would do its work.
const OF_NODE = /\b(normalize(Spawn|Exec|ExecFile)Arg(ument)?s|validateArgumentsNullCheck|this\._handle\.spawn)\(/;

const isLoaded = whetherLoaded('child_process');

let kept;
let keptAreNodes = true;
let spawnMethod;

/**
 * Node's module. A mock of a test's is a module of its own, which is no hook, and is not looked at where Node lets us.
 */
function moduleOfNode() {
  return process.getBuiltinModule?.('child_process') ?? require('node:child_process');
}

/** What it exported when this package first looked at it: `register` puts ours in its place later. */
function ofNode() {
  if (kept === undefined) {
    const exported = moduleOfNode();
    kept = exported[KEPT] ?? { ...exported };
    const names = Object.keys(kept);
    for (let i = 0; i < names.length; i++) if (isOurs(kept[names[i]])) keptAreNodes = false;
  }
  return kept;
}

function isOurs(value) {
  return typeof value === 'function' && mainProcess[OURS].has(value);
}

/** Notes functions of this copy. */
function noteOurs(functions) {
  const names = Object.keys(functions);
  for (let i = 0; i < names.length; i++) mainProcess[OURS].add(functions[names[i]]);
}

/** Whether Node's own functions are known: ours had not been put in their place before they were looked at. */
function hasOriginals() {
  return ofNode() !== undefined && keptAreNodes;
}

function isOfNode(value) {
  return typeof value === 'function' && OF_NODE.test(Function.prototype.toString.call(value));
}

/**
 * Whether somebody has replaced the method with which the builtin starts processes. The builtin is to start them, then.
 */
function isHooked() {
  if (!isLoaded() || !hasOriginals()) return false;
  // There is no class where this package is being loaded as a mock of the builtin.
  const method = ofNode().ChildProcess?.prototype.spawn;
  if (method === spawnMethod) return false;
  if (spawnMethod !== undefined || !isOfNode(method)) return true;
  spawnMethod = method;
  return false;
}

/** `functions`, but the builtin's where somebody had replaced that before this package was loaded. */
function withHooks(functions) {
  if (!isLoaded()) return functions;
  const result = { ...functions };
  const names = Object.keys(functions);
  for (let i = 0; i < names.length; i++) {
    const current = ofNode()[names[i]];
    if (typeof current === 'function' && !isOfNode(current)) result[names[i]] = current;
  }
  return result;
}

/** Puts ours, given as descriptors of properties, in the place of the builtin's. */
function replaceBuiltin(properties) {
  const exported = moduleOfNode();
  Object.defineProperty(exported, KEPT, { value: ofNode(), configurable: true });
  return Object.defineProperties(exported, properties);
}

/**
 * The builtin's functions by their names, looked up when one is asked for.
 * @type {any}
 */
const builtin = new Proxy({}, { get: (_, name) => ofNode()[name] });

module.exports = { builtin, hasOriginals, isHooked, noteOurs, replaceBuiltin, withHooks };
