'use strict';

// exec() and execFile(): a child whose output is gathered natively and handed over once.

const { getSystemErrorName, promisify } = require('node:util');
const { append, copy, join } = require('./arrays');
const { builtin, isHooked } = require('./builtin');
const { clearTimeout, setTimeout } = require('./clock');
const { errnoError, tooMuchOutput } = require('./errors');
const exported = require('./exported');
const { host } = require('./hooks');
const { Outputs } = require('./outputs');
const { native } = require('./runtime');
const { launch, launchNormalized, takesTwoSteps } = require('./spawn');

const MAJOR = Number(process.versions.node.split('.')[0]);
const STDOUT = 1;
const STDERR = 2;
const NAMES = { [STDOUT]: 'stdout', [STDERR]: 'stderr' };

/** Runs `file` and hands over its output (Node.js documentation, «child_process.execFile»). */
function execFile(file, args, options, callback) {
  if (isHooked()) return builtin.execFile(file, args, options, callback);
  const { child, process } = takesTwoSteps()
    ? launchNormalized('execFile', [file, args, options, callback])
    : launch((handle) => native.execFile(file, args, options, callback, handle));
  new Execution(child, process.execution);
  return child;
}

/** One run of a command: what it wrote, what went wrong, and who is to hear of it. */
class Execution {
  #child;
  #settings;
  #outputs;
  #timer;
  #error = null;
  #killed = false;
  #isOver = false;

  constructor(child, settings) {
    this.#child = child;
    this.#settings = settings;
    const { encoding, maxBuffer, timeout } = settings;
    const onFailure = (errno, syscall) => this.#fail(errno, syscall);
    this.#outputs = new Outputs(child, encoding, maxBuffer, (index) => this.#overflow(index), onFailure);
    if (timeout > 0) this.#timer = setTimeout(() => this.#kill(), timeout);
    child.addListener('close', (code, signal) => this.#finish(code, signal));
    child.addListener('error', (error) => {
      this.#error = error;
      this.#outputs.close();
      this.#finish();
    });
  }

  #overflow(index) {
    this.#error = tooMuchOutput(NAMES[index]);
    this.#kill();
  }

  /** Reading an output has failed (`read`), or nothing would tell when there is something to read (`spawn`). */
  #fail(errno, syscall) {
    const { spawnfile, spawnargs } = this.#child;
    if (syscall === 'read') {
      this.#error ??= errnoError(errno, syscall);
      return;
    }
    const error = errnoError(errno, `spawn ${spawnfile}`);
    this.#error ??= Object.assign(error, { path: spawnfile, spawnargs: spawnargs.slice(1) });
    this.#child.kill('SIGKILL');
  }

  #kill() {
    this.#killed = true;
    // First, so that it does not get to complain that nobody listens.
    let failure;
    try {
      this.#child.kill(this.#settings.killSignal);
    } catch (error) {
      failure = error;
    }
    this.#outputs.close();
    if (!failure) return;
    this.#error = failure;
    this.#finish();
  }

  #finish(code, signal) {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { callback, file, args } = this.#settings;
    const stdout = this.#outputs.take(STDOUT);
    const stderr = this.#outputs.take(STDERR);
    this.#outputs.release();
    if (!callback) return;
    if (!this.#error && code === 0 && signal === null) {
      callback(null, stdout, stderr);
      return;
    }
    const command = args.length > 0 ? `${file} ${join(args, ' ')}` : file;
    this.#error ??= Object.assign(new Error(`Command failed: ${command}\n${stderr}`), {
      code: code < 0 ? getSystemErrorName(code) : code,
      killed: this.#child.killed || this.#killed,
      signal,
    });
    this.#error.cmd = command;
    callback(this.#error, stdout, stderr);
  }
}

/**
 * Runs a command line in a shell and hands over its output (Node.js documentation, «child_process.exec»). Never put
 * user input into the command: a shell reads it. execFile() takes arguments as they are.
 */
function exec(command, options, callback) {
  // Throws.
  if (typeof command !== 'string' || command.includes('\0')) native.exec(command, undefined, undefined, host);
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  const shellOptions = { __proto__: null, ...options };
  shellOptions.shell = typeof shellOptions.shell === 'string' ? shellOptions.shell : true;
  return exported.current.execFile(command, shellOptions, callback);
}

/** What util.promisify makes of `run`: a promise of both outputs, with the child. */
function promising(run) {
  const start = (args) => {
    const { promise, resolve, reject } = withResolvers();
    const call = copy(args);
    append(call, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(Object.assign(error, { stdout, stderr }));
    });
    promise.child = Reflect.apply(run, undefined, call);
    return promise;
  };
  if (MAJOR < 22) return (...args) => start(args);
  const promised = function (...args) {
    return start(args);
  };
  return Object.defineProperty(promised, 'name', { value: run.name });
}

/** @returns {any} */
function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
}

Object.defineProperty(exec, promisify.custom, { value: promising(exec), enumerable: false });
Object.defineProperty(execFile, promisify.custom, { value: promising(execFile), enumerable: false });

module.exports = { exec, execFile };
