'use strict';

// Errors that look like Node's: with its codes and messages, and with `[code]` in the first line of the stack (Node.js
// documentation, «Errors»).

const { format, getSystemErrorName, inspect } = require('node:util');
const { copy } = require('./arrays');
const { MAJOR } = require('./version');

// In messages, a string longer than LONG_STRING is cut to CUT_STRING characters, an inspected value to LONG_VALUE.
const LONG_STRING = 28;
const CUT_STRING = 25;
const LONG_VALUE = 128;
// In messages, a number above this gets separators.
const LONG_NUMBER = 2 ** 32;

/** Creates an error whose stack starts at the caller of the function `caller`. */
function nodeError(Base, code, message, caller) {
  const error = new Base(message);
  // The first line of the stack contains the name at the time of the capture.
  Object.defineProperty(error, 'name', { value: `${Base.name} [${code}]`, configurable: true });
  Error.captureStackTrace(error, caller);
  void error.stack;
  delete error.name;
  // Errors of Node inherit `toString` from a class of their own.
  const toString = {
    value() {
      return `${this.name} [${code}]: ${this.message}`;
    },
    writable: true,
    configurable: true,
  };
  Object.setPrototypeOf(error, Object.create(Base.prototype, { toString }));
  error.code = code;
  return error;
}

function noun(name) {
  return name.includes('.') ? 'property' : 'argument';
}

function shorten(text, long, cut) {
  return text.length > long ? `${text.slice(0, cut)}...` : text;
}

/** Describes a value of the wrong type as Node does. */
function describe(value) {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'function':
      return `function ${value.name}`;
    case 'object':
      return describeObject(value);
    case 'string': {
      const shown = shorten(value, LONG_STRING, CUT_STRING);
      return `type string (${shown.includes("'") ? JSON.stringify(shown) : `'${shown}'`})`;
    }
    case 'bigint':
      return `type bigint (${value}n)`;
    default:
      return `type ${typeof value} (${Object.is(value, -0) ? '-0' : String(value)})`;
  }
}

function describeObject(value) {
  if (value === null) return 'null';
  if (MAJOR >= 26) {
    const name = value.constructor?.name;
    if (typeof name === 'string' && name !== '') return `an instance of ${name}`;
  } else if (value.constructor && 'name' in value.constructor) {
    return `an instance of ${value.constructor.name}`;
  }
  return inspect(value, { depth: -1 });
}

function describeNumber(value) {
  // As Node does: a separator after every three characters from the end, whatever they are.
  const separated = (text) => text.replace(/(?<=[^-])(?=(?:.{3})+$)/g, '_');
  if (Number.isInteger(value) && Math.abs(value) > LONG_NUMBER) return separated(String(value));
  if (typeof value !== 'bigint') return inspect(value);
  const isLong = value > BigInt(LONG_NUMBER) || value < -BigInt(LONG_NUMBER);
  return `${isLong ? separated(String(value)) : value}n`;
}

function invalidType(name, expected, value) {
  const message = `The "${name}" ${noun(name)} must be ${expected}. Received ${describe(value)}`;
  return nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', message, invalidType);
}

function invalidValue(name, value, reason) {
  const shown = shorten(inspect(value), LONG_VALUE, LONG_VALUE);
  const message = `The ${noun(name)} '${name}' ${reason}. Received ${shown}`;
  return nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', message, invalidValue);
}

function outOfRange(name, range, value) {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${describeNumber(value)}`;
  return nodeError(RangeError, 'ERR_OUT_OF_RANGE', message, outOfRange);
}

function unknownSignal(value) {
  return nodeError(TypeError, 'ERR_UNKNOWN_SIGNAL', format('Unknown signal: %s', value), unknownSignal);
}

function invalidInput(value) {
  const message = `Asynchronous forks do not support Buffer, TypedArray, DataView or string input: ${inspect(value)}`;
  return nodeError(TypeError, 'ERR_INVALID_SYNC_FORK_INPUT', message, invalidInput);
}

function secondChannel() {
  return nodeError(Error, 'ERR_IPC_ONE_PIPE', 'Child process can have only one IPC pipe', secondChannel);
}

function synchronousChannel() {
  return nodeError(Error, 'ERR_IPC_SYNC_FORK', 'IPC cannot be used with synchronous forks', synchronousChannel);
}

function missingArgument(name) {
  return nodeError(TypeError, 'ERR_MISSING_ARGS', `The "${name}" argument must be specified`, missingArgument);
}

function channelRequired(name) {
  const message = `Forked processes must have an IPC channel, missing value 'ipc' in ${name}`;
  return nodeError(Error, 'ERR_CHILD_PROCESS_IPC_REQUIRED', message, channelRequired);
}

function channelClosed() {
  return nodeError(Error, 'ERR_IPC_CHANNEL_CLOSED', 'Channel closed', channelClosed);
}

function disconnected() {
  return nodeError(Error, 'ERR_IPC_DISCONNECTED', 'IPC channel is already disconnected', disconnected);
}

function invalidHandle() {
  return nodeError(TypeError, 'ERR_INVALID_HANDLE_TYPE', 'This handle type cannot be sent', invalidHandle);
}

/** An invalid message came over a channel. `cause`: what decoding it threw; undefined: it is too long. */
function brokenMessage(cause) {
  const reason = cause?.message ?? 'it is longer than maxMessageSize';
  const message = `The other end of the IPC channel sent an invalid message: ${reason}`;
  const error = nodeError(Error, 'ERR_CHILD_PROCESS_RS_MESSAGE', message, brokenMessage);
  if (cause) error.cause = cause;
  return error;
}

/** The other end of a channel has violated the protocol for handles. */
function brokenHandle(reason) {
  const message = `The other end of the IPC channel violated the protocol for handles: ${reason}`;
  return nodeError(Error, 'ERR_CHILD_PROCESS_RS_HANDLE', message, brokenHandle);
}

function tooMuchOutput(name) {
  return nodeError(RangeError, 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER', `${name} maxBuffer length exceeded`, tooMuchOutput);
}

/** An option that does not exist. `meant`: the one that was probably meant. */
function unknownOption(name, meant) {
  const advice = meant === undefined ? '' : `: did you mean ${meant}?`;
  const message = `There is no option "${name}"${advice}`;
  return nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', message, unknownOption);
}

/** The name of a negative errno. Node takes it from libuv, which does not know all of them. */
function nameOf(errno) {
  const name = getSystemErrorName(errno);
  if (!name.startsWith('Unknown')) return name;
  const names = require('node:os').constants.errno;
  return Object.keys(names).find((known) => names[known] === -errno) ?? name;
}

/**
 * The error of a failed system call. `errno` is negative, as in libuv.
 * @returns {NodeJS.ErrnoException & { spawnargs?: string[] }}
 */
function errnoError(errno, syscall) {
  const code = nameOf(errno);
  const error = new Error(`${syscall} ${code}`);
  Error.captureStackTrace(error, errnoError);
  return Object.assign(error, { errno, code, syscall });
}

/** The error of a `syscall` that failed for a program: `file`, if it is known, with `args`, its `argv`. */
function programError(errno, syscall, file, args) {
  const error = errnoError(errno, file ? `${syscall} ${file}` : syscall);
  if (file) error.path = file;
  error.spawnargs = copy(args, 1);
  return error;
}

/** The error of a child that an AbortSignal has killed. */
class AbortError extends Error {
  constructor(options) {
    super('The operation was aborted', options);
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

module.exports = {
  AbortError,
  brokenHandle,
  brokenMessage,
  channelClosed,
  disconnected,
  errnoError,
  invalidType,
  programError,
  tooMuchOutput,
  unknownOption,
  // Native code throws these.
  hooks: {
    brokenHandle,
    channelClosed,
    channelRequired,
    errnoError,
    errnoName: nameOf,
    invalidHandle,
    invalidInput,
    invalidType,
    invalidValue,
    missingArgument,
    outOfRange,
    secondChannel,
    synchronousChannel,
    unknownSignal,
  },
};
