'use strict';

// The exported functions. They load the actual implementation when they are first called: many programs that load this
// package start one process, or none.

const { builtin, hasOriginals, noteOurs } = require('./builtin/originals');
const { MAJOR } = require('./common/version');

const promisified = Symbol.for('nodejs.util.promisify.custom');

let native;
let executing;
let spawning;
let synchronous;

const CANNOT_BE_READ = {
  __proto__: null,
  ERR_ACCESS_DENIED: true,
  ERR_INVALID_PACKAGE_CONFIG: true,
  MODULE_NOT_FOUND: true,
};

/** The addon; null if there is none for this system. */
function addon() {
  if (native === undefined) {
    native = require('./addon/native').native;
    // Before other code opens descriptors without close-on-exec.
    native?.noteInherited();
  }
  return native;
}

/**
 * The functions that `load` loads. The builtin makes the call if there is no addon for this system; or if a file cannot
 * be read, because no descriptors are left or it is not permitted: the builtin is part of Node's binary, and reports
 * the same problem as programs expect it.
 */
function orBuiltin(load) {
  try {
    return addon() ? load() : builtin;
  } catch (error) {
    const cannotBeRead = error?.syscall !== undefined || CANNOT_BE_READ[error?.code];
    if (!cannotBeRead || !hasOriginals()) throw error;
    return builtin;
  }
}

const ofExec = () => executing ?? orBuiltin(() => (executing = require('./exec/exec')));
const ofSpawn = () => spawning ?? orBuiltin(() => (spawning = require('./process/spawn')));
const ofSync = () => synchronous ?? orBuiltin(() => (synchronous = require('./process/sync')));

function exec(command, options, callback) {
  return ofExec().exec(command, options, callback);
}

function execFile(file, args, options, callback) {
  return ofExec().execFile(file, args, options, callback);
}

function execFileSync(file, args, options) {
  return ofSync().execFileSync(file, args, options);
}

function execSync(command, options) {
  return ofSync().execSync(command, options);
}

function fork(modulePath, args = [], options) {
  return ofSpawn().fork(modulePath, args, options);
}

function spawn(file, args, options) {
  return ofSpawn().spawn(file, args, options);
}

function spawnSync(file, args, options) {
  return ofSync().spawnSync(file, args, options);
}

/** Internal to Node, and not documented. */
function _forkChild(fd, serializationMode) {
  return builtin._forkChild(fd, serializationMode);
}

/** What util.promisify makes of exec and execFile: from Node 22 on a function with a name and a prototype. */
function promising(name) {
  const start = (args) => {
    const { promised } = ofExec();
    const run = promised ? promised[name] : builtin[name][promisified];
    return Reflect.apply(run, undefined, args);
  };
  if (MAJOR < 22) return (...args) => start(args);
  const promised = function (...args) {
    return start(args);
  };
  return Object.defineProperty(promised, 'name', { value: name });
}

Object.defineProperty(exec, promisified, { value: promising('exec') });
Object.defineProperty(execFile, promisified, { value: promising('execFile') });

const functions = { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync };
noteOurs(functions);

module.exports = { _forkChild, addon, functions };
