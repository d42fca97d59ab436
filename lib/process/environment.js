'use strict';

// Which environment a child gets without `options.env`. Node's process.env on the main thread is the environment of the
// process itself, and the launcher hands that over whole; enumerating it from JavaScript would cost more than the
// launch.

const { isProxy } = require('node:util/types');
const { native } = require('../addon/native');
const { isRestricted } = require('./permission');
const { MAJOR, MINOR } = require('../common/version');

// From this version on the builtin passes on the environment of the process, or of the Worker, and not what a program
// has put in the place of process.env.
const PASSES_OWN = MAJOR > 26 || (MAJOR === 26 && MINOR >= 12);
const passesOwn = PASSES_OWN && !isRestricted;
const own = process.env;

// `worker_threads` knows it, too, but takes 1 ms to load.
const isMainThread = native.isMainThread();

let known;
let knownIsOwn = false;

/** Whether `env` is the process's own environment rather than an object that somebody put in its place. */
function isProcessEnvironment(env) {
  if (env !== known) {
    known = env;
    knownIsOwn = isMainThread && !isProxy(env) && refusesAccessors(env);
  }
  return knownIsOwn;
}

/** Node's process.env takes plain values only; any ordinary object takes an accessor as well. */
function refusesAccessors(env) {
  const name = 'CHILD_PROCESS_RS_PROBE';
  try {
    Object.defineProperty(env, name, { get() {}, enumerable: false, configurable: true });
  } catch (error) {
    return error.code === 'ERR_INVALID_OBJECT_DEFINE_PROPERTY';
  }
  delete env[name];
  return false;
}

/**
 * process.env where its entries must be listed one by one: somebody looks at them (`isObserved`), Node's permission
 * model adds to them, or it isn't the environment of the process. Undefined where the child simply inherits.
 */
function environmentToList(isObserved) {
  if (inheritsEnvironment() && !isObserved) return undefined;
  const env = passesOwn ? own : process.env;
  // From Node 22 on a copy is listed, which has only its own entries.
  return MAJOR >= 22 ? { ...env } : env;
}

/** Whether a child that nobody looks at simply inherits the environment. */
function inheritsEnvironment() {
  return !isRestricted && (passesOwn ? isMainThread : isProcessEnvironment(process.env));
}

module.exports = { environmentToList, inheritsEnvironment };
