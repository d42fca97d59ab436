'use strict';

// Node's own child_process, and whether it has been patched. Coverage tools (nyc, spawn-wrap) replace the method with
// which the builtin's functions start a process; Electron and tracers replace some of the functions. They expect to see
// every child. A module that has not been loaded cannot have been patched, so it is not loaded to find out: that takes
// 2 ms.

const { mainProcess } = require('../common/clock');
const { whetherLoaded } = require('./listed');

// Where `register` keeps the builtin's functions. There may be several copies of this package; in jest, one for each
// test file.
const KEPT = Symbol.for('child-process-rs.builtin');

// The functions of every copy of this package. A program may have replaced Node's functions with them itself.
const OURS = Symbol.for('child-process-rs.functions');
if (!mainProcess[OURS]) Object.defineProperty(mainProcess, OURS, { value: new WeakSet() });

// Each of Node's functions calls one of these internal functions, which no other code can call. An original that is not
// recognised is taken for a patch: the call then goes to the builtin.
const OF_NODE = /\b(normalize(Spawn|Exec|ExecFile)Arg(ument)?s|validateArgumentsNullCheck|this\._handle\.spawn)\(/;

const isLoaded = whetherLoaded('child_process');

let kept;
let keptAreNodes = true;
let spawnMethod;

/**
 * Node's module. A test runner's mock is another module; it is no patch, and getBuiltinModule() does not return it.
 */
function moduleOfNode() {
  return process.getBuiltinModule?.('child_process') ?? require('node:child_process');
}

/** What it exported when this package first read it. `register` replaces its functions later. */
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

/** Records functions of this copy. */
function noteOurs(functions) {
  const names = Object.keys(functions);
  for (let i = 0; i < names.length; i++) mainProcess[OURS].add(functions[names[i]]);
}

/** Whether Node's own functions are known: nobody had replaced them with ours before they were read. */
function hasOriginals() {
  return ofNode() !== undefined && keptAreNodes;
}

function isOfNode(value) {
  return typeof value === 'function' && OF_NODE.test(Function.prototype.toString.call(value));
}

/** Whether a program has replaced the method with which the builtin starts processes. Then the builtin must do so. */
function isHooked() {
  if (!isLoaded() || !hasOriginals()) return false;
  // There is no class if this package is being loaded as a mock of the builtin.
  const method = ofNode().ChildProcess?.prototype.spawn;
  if (method === spawnMethod) return false;
  if (spawnMethod !== undefined || !isOfNode(method)) return true;
  spawnMethod = method;
  return false;
}

/** `functions`; but those of the builtin that had been patched before this package was loaded stay as they are. */
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

/** Replaces the builtin's functions with `ours`. Returns what exports them. */
function replaceBuiltin(ours) {
  const exported = moduleOfNode();
  Object.defineProperty(exported, KEPT, { value: ofNode(), configurable: true });
  return Object.defineProperties(exported, Object.getOwnPropertyDescriptors(ours));
}

/**
 * The builtin's functions by name, looked up on access.
 * @type {any}
 */
const builtin = new Proxy({}, { get: (_, name) => ofNode()[name] });

module.exports = { builtin, hasOriginals, isHooked, noteOurs, replaceBuiltin, withHooks };
