'use strict';

// What a call returns: a promise of the result, and a handle of the command while it runs.

const { includes } = require('../common/arrays');
const { hooks, invalidType, unknownOption } = require('../common/errors');
const { checkOptions, pathOf, readCall, readOptions } = require('./options');
const { LineReader } = require('./output');
const { Result } = require('./result');
const { Run } = require('./run');
const { commandLine, words } = require('./template');

const FROM = ['stdout', 'stderr', 'all'];

const ignore = () => {};

class Running extends Promise {
  #run;
  #start;

  /** Derived promises are plain ones. */
  static get [Symbol.species]() {
    return Promise;
  }

  /** Takes what Run takes. */
  constructor(call) {
    let settle;
    super((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#start = call.start;
    this.#run = new Run(call, (outcome) => {
      settle.resolve(outcome instanceof Result ? outcome : withStack(outcome, call.settings.reject));
    });
  }

  /** The process id; undefined if the command could not be started. */
  get pid() {
    return this.#run.pid;
  }

  /** The streams are created when they are first asked for; null for what is not a pipe. */
  get stdin() {
    return this.#run.stream(0);
  }

  get stdout() {
    return this.#run.stream(1);
  }

  get stderr() {
    return this.#run.stream(2);
  }

  get stdio() {
    return this.#run.stdio;
  }

  /** Sends a signal; without one, ends the command, by force if that takes too long. Returns whether one was sent. */
  kill(signal) {
    return this.#run.kill(signal);
  }

  /** Makes the event loop wait for the command; it does from the start. */
  ref() {
    this.#run.setReferenced(true);
    return this;
  }

  /** Lets the event loop end before the command. */
  unref() {
    this.#run.setReferenced(false);
    return this;
  }

  /**
   * The lines of an output as they come: of `stdout`, `stderr` or `all`. The command is held back while nobody asks for
   * more, and ended if the consumer leaves its loop. If the command fails, this throws after the last line.
   */
  iterable(options) {
    const reader = new LineReader(this.#run.outputsOf(fromOf(options)), this.#run.settings.encoding);
    // What goes wrong is thrown to the consumer.
    this.catch(ignore);
    return this.#iterate(reader);
  }

  async *#iterate(reader) {
    let isAtEnd = false;
    try {
      for (let line = await reader.next(); line !== undefined; line = await reader.next()) yield line;
      isAtEnd = true;
    } finally {
      if (!isAtEnd) {
        reader.stop();
        await this[Symbol.asyncDispose]();
      }
    }
    await this;
  }

  [Symbol.asyncIterator]() {
    return this.iterable();
  }

  /** Ends the command, and waits until it has ended. */
  async [Symbol.asyncDispose]() {
    this.kill();
    await this.catch(ignore);
  }

  /**
   * Has another command read what this one writes: a template, a file with arguments and options, or a command that
   * runs already. Returns that command. It fails if this one does.
   */
  pipe(first, ...rest) {
    if (Array.isArray(first?.raw)) return this.#pipeToTemplate(first, rest, {});
    if (first instanceof Running) return this.#pipeTo(first, fromOf(rest[0]));
    if (typeof first === 'string' || first instanceof URL) {
      const { args, options } = readCall(rest[0], rest[1]);
      return this.#pipeToFile(first, args, options ?? {});
    }
    if (typeof first !== 'object' || first === null || first.on || first.then) {
      throw invalidType('destination', 'a template, a file, options or a command that runs', first);
    }
    checkOptions(first, 'pipe');
    return (strings, ...values) => this.#pipeToTemplate(strings, values, first);
  }

  #pipeToTemplate(strings, values, options) {
    const list = words(strings, values);
    return this.#pipeToFile(list[0], list.slice(1), options);
  }

  #pipeToFile(given, args, options) {
    const file = pathOf(given);
    const stdin = options.stdin ?? (options.stdio === undefined ? 'pipe' : undefined);
    const settings = readOptions({ ...options, stdin }, 'pipe');
    this.#run.outputsOf(settings.from, true);
    const call = { file, args, settings, shown: commandLine(file, args), start: this.#start };
    return this.#pipeTo(new Running(call), settings.from);
  }

  #pipeTo(destination, from) {
    this.#run.pipeTo(destination.#run, from);
    // The destination's promise has it.
    this.catch(ignore);
    return destination;
  }
}

/** Which output options with nothing but `from` name. */
function fromOf(options) {
  const { from = 'stdout', ...others } = options ?? {};
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw unknownOption(unknown);
  if (!includes(FROM, from)) throw hooks.invalidValue('from', from, 'must be one of stdout, stderr, all');
  return from;
}

/**
 * Throws or returns `error`, whose stack then has the functions that await the command. V8 finds them because they wait
 * for this function, two ticks after it has been called; a stack captured by every call would take longer than the rest
 * of the call.
 */
async function withStack(error, isThrown) {
  await null;
  await null;
  Error.captureStackTrace(error, withStack);
  if (isThrown) throw error;
  return error;
}

module.exports = { Running };
