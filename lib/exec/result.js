'use strict';

// What comes of a command: a Result, or a CommandError with the same properties.

const { join } = require('../common/arrays');
const { pathOf } = require('./options');

/** What a command that succeeded has brought. */
class Result {
  constructor(properties) {
    fill(this, properties);
  }
}

/** One by one, which is faster than Object.assign(). */
function fill(outcome, properties) {
  outcome.command = properties.command;
  outcome.exitCode = properties.exitCode;
  outcome.signal = properties.signal;
  outcome.failed = properties.failed;
  outcome.timedOut = properties.timedOut;
  outcome.isCanceled = properties.isCanceled;
  outcome.isMaxBuffer = properties.isMaxBuffer;
  outcome.isTerminated = properties.signal !== null;
  outcome.durationMs = properties.durationMs;
  outcome.resourceUsage = properties.resourceUsage;
  outcome.stdout = properties.stdout;
  outcome.stderr = properties.stderr;
  if ('all' in properties) outcome.all = properties.all;
  outcome.pipedFrom = [];
}

// An error shows this much of what the command wrote, characters.
const SHOWN = 65_536;

/** The error of a command that failed. It has the properties of a Result. */
class CommandError extends Error {
  constructor(reason, properties, cause) {
    const shortMessage = `${reason}: ${properties.command}${cause === undefined ? '' : `\n${messageOf(cause)}`}`;
    // Many programs write what is wrong to their stdout.
    const written = endOf(properties.stderr) || endOf(properties.stdout);
    super(written === '' ? shortMessage : `${shortMessage}\n${written}`);
    this.shortMessage = shortMessage;
    if (cause !== undefined) {
      this.cause = cause;
      if (typeof cause?.code === 'string') this.code = cause.code;
    }
    fill(this, properties);
  }
}
Object.defineProperty(CommandError.prototype, 'name', { value: 'CommandError', writable: true, configurable: true });

/** What an error shows of an output. */
function endOf(output) {
  const text = Array.isArray(output) ? join(output, '\n') : output;
  return typeof text === 'string' ? text.slice(-SHOWN).trimEnd() : '';
}

function messageOf(cause) {
  return cause instanceof Error ? cause.message : String(cause);
}

function reasonOf(properties, settings, cause) {
  const { exitCode, signal } = properties;
  if (properties.timedOut) return `Command timed out after ${settings.timeout} milliseconds`;
  if (properties.isCanceled) return 'Command was canceled';
  if (properties.isMaxBuffer) return `Command wrote more than maxBuffer allows, ${settings.maxBuffer} bytes`;
  if (signal !== null) return `Command was killed with ${signal}`;
  if (exitCode !== null && exitCode !== 0) return `Command failed with exit code ${exitCode}`;
  if (exitCode === 0 || !/^(?:spawn|open)/.test(cause?.syscall)) return 'Command failed';
  return `Command could not be started${isFolder(settings.cwd) ? '' : ` in ${settings.cwd}, which is no directory`}`;
}

/** The error of a spawn does not tell a missing program from a missing directory. */
function isFolder(cwd) {
  return cwd === undefined || require('node:fs').existsSync(`${pathOf(cwd)}/.`);
}

/**
 * The Result, or where it has failed the CommandError.
 * @returns {any}
 */
function outcomeOf(properties, settings, cause) {
  if (!properties.failed) return new Result(properties);
  return new CommandError(reasonOf(properties, settings, cause), properties, cause);
}

/** What a result is as an interpolation: its output. Anything else is itself. */
function outputOf(value) {
  const isOutcome = value instanceof Result || value instanceof CommandError;
  if (!isOutcome) return value;
  const { stdout } = /** @type {any} */ (value);
  return ArrayBuffer.isView(stdout)
    ? Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength).toString()
    : stdout;
}

const NEWLINE = 10;
const RETURN = 13;

/** What `verbose` shows of a command that has ended. */
function summaryOf(outcome) {
  return outcome.shortMessage ?? `$ ${outcome.command} (${Math.round(outcome.durationMs)} ms)`;
}

/** An output, text or a Buffer, as `settings` ask for it: decoded, without the final newline, as lines. */
function present(output, settings) {
  const { encoding, lines, stripFinalNewline } = settings;
  if (encoding !== 'buffer') {
    output = output.toString(encoding);
    if (lines) return output === '' ? [] : withoutNewline(output).split(/\r?\n/);
    return stripFinalNewline && !settings.isBinary ? withoutNewline(output) : output;
  }
  let { length } = output;
  if (stripFinalNewline && output[length - 1] === NEWLINE) {
    length -= output[length - 2] === RETURN ? 2 : 1;
  }
  return new Uint8Array(output.buffer, output.byteOffset, length);
}

function withoutNewline(text) {
  if (!text.endsWith('\n')) return text;
  return text.slice(0, text.endsWith('\r\n') ? -2 : -1);
}

module.exports = { CommandError, Result, outcomeOf, outputOf, present, summaryOf };
