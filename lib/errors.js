'use strict';

// Errors as Node makes them: its codes, its sentences, and `[code]` in the first line of the stack (Node.js
// documentation, «Errors»).

const { format, getSystemErrorName, inspect } = require('node:util');

const MAJOR = Number(process.versions.node.split('.')[0]);
// A quoted string longer than this is cut; so is an inspected value.
const LONG_STRING = 28;
const CUT_STRING = 25;
const LONG_VALUE = 128;
// Beyond this a number in a message gets separators.
const LONG_NUMBER = 2 ** 32;

/** The stack starts at the caller of `caller`. */
function nodeError(Base, code, message, caller) {
  const error = new Base(message);
  // The stack's first line takes the name that is there when it is captured.
  Object.defineProperty(error, 'name', { value: `${Base.name} [${code}]`, configurable: true });
  Error.captureStackTrace(error, caller);
  void error.stack;
  delete error.name;
  Object.defineProperty(error, 'toString', {
    value() {
      return `${this.name} [${code}]: ${this.message}`;
    },
    writable: true,
    configurable: true,
  });
  error.code = code;
  return error;
}

function noun(name) {
  return name.includes('.') ? 'property' : 'argument';
}

function shorten(text, long, cut) {
  return text.length > long ? `${text.slice(0, cut)}...` : text;
}

/** How Node describes a value of the wrong type. */
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
  // As Node does it: every three characters from the end, whatever they are.
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

/** What came over a channel is no message. `cause`: what decoding it threw; undefined: it is too long. */
function brokenMessage(cause) {
  const reason = cause?.message ?? 'it is longer than maxMessageSize';
  const message = `The other end of the IPC channel sent something that is no message: ${reason}`;
  const error = nodeError(Error, 'ERR_CHILD_PROCESS_RS_MESSAGE', message, brokenMessage);
  if (cause) error.cause = cause;
  return error;
}

/** What the other end of a channel says of a handle is not so. */
function brokenHandle(reason) {
  const message = `The other end of the IPC channel broke the protocol of handles: ${reason}`;
  return nodeError(Error, 'ERR_CHILD_PROCESS_RS_HANDLE', message, brokenHandle);
}

function tooMuchOutput(name) {
  return nodeError(RangeError, 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER', `${name} maxBuffer length exceeded`, tooMuchOutput);
}

/** The name of a negative errno; libuv, which Node asks, does not know all. */
function nameOf(errno) {
  const names = require('node:os').constants.errno;
  return Object.keys(names).find((name) => names[name] === -errno) ?? getSystemErrorName(errno);
}

/** A failed system call; `errno` is negative, as libuv has it. */
function errnoError(errno, syscall) {
  const code = nameOf(errno);
  const error = new Error(`${syscall} ${code}`);
  Error.captureStackTrace(error, errnoError);
  return Object.assign(error, { errno, code, syscall });
}

/** What an AbortSignal ends a child with. */
class AbortError extends Error {
  constructor(options) {
    super('The operation was aborted', options);
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

module.exports = {
  AbortError,
  brokenMessage,
  channelClosed,
  disconnected,
  errnoError,
  invalidType,
  tooMuchOutput,
  // The native side throws these.
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
