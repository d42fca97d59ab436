'use strict';

// Which environment a child gets without `options.env`. Node's process.env on the main thread is the environment of the
// process itself. The launcher passes that on as a whole; enumerating it from JavaScript would cost more than the
// launch.

const { isProxy } = require('node:util/types');
const { native } = require('../addon/native');
const { isRestricted } = require('./permission');
const { MAJOR, MINOR } = require('../common/version');

// From this version on the builtin passes on the environment of the process or Worker, even if a program has replaced
// process.env.
const PASSES_OWN = MAJOR > 26 || (MAJOR === 26 && MINOR >= 12);
const passesOwn = PASSES_OWN && !isRestricted;
const own = process.env;

// `worker_threads` knows it, too, but takes 1 ms to load.
const isMainThread = native.isMainThread();

let known;
let knownIsOwn = false;

/** Whether `env` is the process's own environment, and not an object with which a program has replaced process.env. */
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
 * process.env if its entries must be listed: because a program sees them (`isObserved`), Node's permission model adds
 * to them, or it is not the environment of the process. Undefined if the child simply inherits.
 */
function environmentToList(isObserved) {
  if (inheritsEnvironment() && !isObserved) return undefined;
  const env = passesOwn ? own : process.env;
  // From Node 22 on a copy is listed, which has only its own entries.
  return MAJOR >= 22 ? { ...env } : env;
}

/** Whether a child simply inherits the environment, unless a program sees its options. */
function inheritsEnvironment() {
  return !isRestricted && (passesOwn ? isMainThread : isProcessEnvironment(process.env));
}

module.exports = { environmentToList, inheritsEnvironment };
