'use strict';

// One run of a command, from its start to its outcome.

const { setImmediate } = require('node:timers');
const { append, map, some } = require('../common/arrays');
const { clearTimeout, nextTick, now, setTimeout } = require('../common/clock');
const { hooks } = require('../common/errors');
const { endWithProcess, forget } = require('./cleanup');
const { spawnOptions } = require('./options');
const { Interleaved, NOTHING, Output } = require('./output');
const { NAMES, feed, isKept, redirectionsOf, writeTo } = require('./redirect');
const { Result, outcomeOf, present, summaryOf } = require('./result');

// Both outputs in the order in which they came.
const ALL = 0;
const STDOUT = 1;
const STDERR = 2;

// How much is kept of the stderr of a command whose lines are read, bytes: it is only for the error.
const KEPT_STDERR = 1_048_576;
// How many turns of the event loop it takes at most to read what a command has written before its end.
const TURNS = 8;

const ignore = () => {};

// How a command ended that did not start.
const UNKNOWN = { code: null, signal: null };

class Run {
  #settings;
  #shown;
  #onOutcome;
  #redirections = null;
  #command = null;
  #outputs = [];
  #all = null;
  #isStreamed = false;
  #begun = now();
  #ending = UNKNOWN;
  #hasExited = false;
  #isStopped = false;
  #isOver = false;
  // What it writes is no longer read, because the command that read it has ended.
  #isCutOff = false;
  #timeout;
  #grace;
  #stopInput = ignore;
  // What must be finished before there is an outcome: writing to streams, and the runs that this one reads from.
  #flushes = null;
  #sources = null;
  // How many outputs of others are still written to its standard input.
  #writers = 0;
  // Who waits for this run's end.
  #followers = null;
  #final = null;
  // `timedOut`, `isCanceled`, `isMaxBuffer` or, because of `#cause`, `isBroken`.
  #why = '';
  #cause;
  #abort;

  /**
   * Starts `file` with `args`. `shown`: the command as a person would type it; `start` starts it, as the classes
   * Captured and Streamed do. `onOutcome(outcome)` is called in the end, with a Result or a CommandError.
   */
  constructor({ file, args, settings, shown, start }, onOutcome) {
    this.#settings = settings;
    this.#shown = shown;
    this.#onOutcome = onOutcome;
    if (settings.signal?.aborted) {
      this.#why = 'isCanceled';
      this.#close(settings.signal.reason);
    } else if (this.#open()) {
      if (settings.verbose !== 'none') this.#log(`$ ${shown}`);
      this.#start(file, args, start);
      this.#connect();
      this.#limit();
    }
  }

  /** Opens files. If it cannot, the command fails. */
  #open() {
    try {
      this.#redirections = redirectionsOf(this.#settings);
      return true;
    } catch (error) {
      if (error.syscall === undefined) throw error;
      this.#close(error);
      return false;
    }
  }

  #start(file, args, start) {
    const { all, encoding, maxBuffer } = this.#settings;
    const { stdio } = this.#redirections;
    for (let index = STDOUT; index <= STDERR; index++) {
      if (stdio[index] === 'pipe') this.#outputs[index] = this.#output(index);
    }
    const options = spawnOptions(this.#settings, stdio);
    const call = { file, args, options, limits: { encoding, maxBuffer }, outputs: this.#outputs, hasAll: all };
    try {
      this.#command = start(call, this);
    } catch (error) {
      this.#redirections.abandon();
      throw error;
    }
    this.#redirections.close();
  }

  #output(index) {
    const { from, isIterated, maxBuffer } = this.#settings;
    const isRead = isIterated && (from === 'all' || from === NAMES[index]);
    return new Output(this, index, {
      limit: isIterated ? KEPT_STDERR : maxBuffer,
      isKept: !isRead && isKept(this.#settings, index),
      isCut: isIterated,
    });
  }

  /** Connects what this process has to read and write. */
  #connect() {
    const { all, isIterated, verbose } = this.#settings;
    if (all && !this.#command.hasAll) this.onStream();
    for (let index = STDOUT; index <= STDERR; index++) {
      const output = this.#outputs[index];
      if (output === undefined) continue;
      // A stream that nobody reads holds the command back.
      if (!output.isKept || isIterated) void output.stream;
      if (verbose === 'full') output.follow((chunk) => process.stderr.write(chunk), ignore);
    }
    const { input, targets } = this.#redirections;
    if (targets[STDOUT].length + targets[STDERR].length > 0) {
      this.#flushes = writeTo(targets, this.#outputs, (error) => this.onBroken(error));
    }
    if (input !== undefined) this.#stopInput = feed(this.stream(0), input, (error) => this.onBroken(error));
  }

  #limit() {
    const { cleanup, detached, signal, timeout } = this.#settings;
    if (this.pid === undefined) return;
    if (timeout > 0) this.#timeout = setTimeout(() => this.#end('timedOut'), timeout).unref();
    if (signal) {
      this.#abort = () => this.#end('isCanceled', signal.reason);
      signal.addEventListener('abort', this.#abort, { once: true });
    }
    if (cleanup && !detached) endWithProcess(this);
  }

  /** A stream brings an output from now on. If the order of both is wanted, they are put in order here. */
  onStream() {
    const { all, encoding } = this.#settings;
    if (!all || this.#isStreamed || this.#command === null) return;
    this.#isStreamed = true;
    const kept = map(this.#outputs, (output) => (output?.isKept ? output : undefined));
    if (!some(kept, (output) => output !== undefined)) return;
    map(kept, (output) => output?.stream);
    this.#all = new Interleaved(kept, this.#command.capturedParts(), encoding);
  }

  /** Ends the command, for a reason. */
  #end(reason, cause) {
    if (this.#isStopped) return;
    this.#why = reason;
    this.#cause = cause;
    if (this.#isOver) return;
    this.#stop();
    if (this.#hasExited) this.#command.closeOutputs();
  }

  /** Ends the command, by force if that takes too long. Returns whether a signal was sent. */
  #stop() {
    const { forceKillAfterDelay, killSignal } = this.#settings;
    this.#isStopped = true;
    const isSent = this.#command.send(killSignal);
    if (isSent && forceKillAfterDelay !== false && this.#grace === undefined) {
      this.#grace = setTimeout(() => this.#command.send('SIGKILL'), forceKillAfterDelay).unref();
    }
    return isSent;
  }

  // Called by the command.

  onFailure(error) {
    this.#close(error);
  }

  onTooLong() {
    this.#end('isMaxBuffer');
  }

  onBroken(error) {
    this.#end('isBroken', error);
  }

  onClose(failure) {
    this.#close(failure);
  }

  onExit(code, signal) {
    this.#hasExited = true;
    this.#ending = { code, signal };
    forget(this);
    if (!this.#isStopped) return;
    clearTimeout(this.#grace);
    // Processes that it started may still hold its outputs open. This does not wait for those.
    let turns = TURNS;
    const close = () => {
      if (this.#isOver) return;
      if (turns-- > 0) setImmediate(close);
      else this.#command.closeOutputs();
    };
    close();
  }

  #close(failure) {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timeout) clearTimeout(this.#timeout);
    if (this.#grace) clearTimeout(this.#grace);
    forget(this);
    if (this.#abort) this.#settings.signal.removeEventListener('abort', this.#abort);
    this.#stopInput();
    const outcome = this.#describe(failure ?? this.#cause);
    if (this.#settings.verbose !== 'none') this.#log(summaryOf(outcome));
    if (this.#flushes === null && this.#sources === null) this.#answer(outcome, outcome);
    else this.#finish(outcome);
  }

  #describe(cause) {
    const { code, signal } = this.#ending;
    const why = this.#why;
    const isBroken = cause !== undefined && cause !== null;
    const usage = this.#command?.resourceUsage();
    /** @type {any} */
    const properties = {
      command: this.#shown,
      exitCode: code,
      signal,
      failed: isBroken || code !== 0 || why !== '',
      timedOut: why === 'timedOut',
      isCanceled: why === 'isCanceled',
      isMaxBuffer: why === 'isMaxBuffer',
      durationMs: now() - this.#begun,
      resourceUsage: usage ? { userCPUTime: usage[0], systemCPUTime: usage[1], maxRSS: usage[2] } : null,
      stdout: this.#value(STDOUT),
      stderr: this.#value(STDERR),
    };
    if (this.#settings.all) properties.all = this.#allValue();
    return outcomeOf(properties, this.#settings, isBroken ? cause : undefined);
  }

  #allValue() {
    const isWanted = this.#all !== null || some(this.#outputs, (output) => output?.isKept);
    if (!isWanted) return undefined;
    return present(this.#all?.value ?? this.#command.captured(ALL) ?? NOTHING, this.#settings);
  }

  #value(index) {
    const output = this.#outputs[index];
    if (this.#command === null && isKept(this.#settings, index)) return present(NOTHING, this.#settings);
    if (!output?.isKept) return undefined;
    const captured = output.isAttached ? undefined : this.#command.captured(index);
    return present(captured ?? output.bytes, this.#settings);
  }

  /** What has been captured natively of an output. */
  captured(index) {
    return this.#command?.captured(index);
  }

  #log(line) {
    process.stderr.write(`${line}\n`);
  }

  get settings() {
    return this.#settings;
  }

  get pid() {
    return this.#command?.pid;
  }

  get isRunning() {
    return this.pid !== undefined && !this.#hasExited;
  }

  get stdio() {
    return map(this.#command?.stdio ?? [], (_, index) => this.stream(index));
  }

  /** The stream of a descriptor; null if it is not a pipe. */
  stream(index) {
    const stream = this.#command?.stream(index) ?? null;
    // A command need not read all of its input.
    if (index === 0 && stream?.listenerCount('error') === 0) stream.on('error', ignore);
    return stream;
  }

  kill(signal) {
    if (!this.isRunning) return false;
    if (signal === undefined || signal === this.#settings.killSignal) return this.#stop();
    if (signal === 'SIGKILL') this.#isStopped = true;
    return this.#command.send(signal);
  }

  setReferenced(isReferenced) {
    if (isReferenced) this.#command?.ref();
    else this.#command?.unref();
  }

  /** The outputs that `from` names: `stdout`, `stderr` or `all`. `toPipe`: throws if it is too late to pipe them. */
  outputsOf(from, toPipe = false) {
    const outputs = [];
    for (let index = STDOUT; index <= STDERR; index++) {
      const name = NAMES[index];
      if (from !== 'all' && from !== name) continue;
      if (toPipe) this.#outputs[index]?.checkPipe();
      if (this.#outputs[index]) append(outputs, this.#outputs[index]);
      else if (this.#command !== null) throw hooks.invalidValue('from', from, `needs the option ${name}: 'pipe'`);
    }
    return outputs;
  }

  /**
   * Pipes what this run writes to `destination`, whose outcome is then a failure if this one's is.
   * @param {Run} destination
   */
  pipeTo(destination, from) {
    const stdin = destination.stream(0);
    const outputs = this.outputsOf(from, true);
    const isFree = stdin !== null && destination.#redirections.input === undefined;
    if (!isFree && this.#command !== null && destination.#command !== null) {
      throw hooks.invalidValue('destination', destination.#shown, "must be started with the option stdin: 'pipe'");
    }
    append((destination.#sources ??= []), this);
    if (stdin === null) {
      map(outputs, (output) => output.stream.destroy());
      return;
    }
    const end = () => {
      if (--destination.#writers === 0) stdin.end();
    };
    destination.#writers += outputs.length || 1;
    // Later: another command may be piped to the same one.
    if (outputs.length === 0) nextTick(end);
    map(outputs, (output) => {
      const { stream } = output;
      output.pipeTo(stdin);
      if (stream.destroyed) {
        nextTick(end);
        return;
      }
      stream.once('close', end);
      stdin.once('close', () => {
        if (!output.release()) return;
        // A command that writes on gets SIGPIPE or ECONNRESET.
        this.#isCutOff ||= !stream.readableEnded;
        stream.destroy();
      });
    });
  }

  /** Waits for what has to be over before there is an outcome. */
  async #finish(ended) {
    for (let i = 0; i < this.#flushes?.length; i++) await this.#flushes[i];
    const own = this.#cause === undefined || !(ended instanceof Result) ? ended : this.#describe(this.#cause);
    let outcome = own;
    for (let i = 0; i < this.#sources?.length; i++) {
      /** @type {Run} */
      const source = this.#sources[i];
      const final = await new Promise((resolve) => source.#follow(resolve));
      append(own.pipedFrom, final.own);
      // If this command has not read everything, the other one could not succeed.
      const isFailure = final.outcome.failed && !source.#isCutOff && source.settings.reject;
      if (isFailure && outcome instanceof Result) outcome = final.outcome;
    }
    this.#answer(own, outcome);
  }

  /** Calls `body({ own, outcome })`: the outcome of this run alone, and that with all runs that it reads from. */
  #follow(body) {
    if (this.#final) body(this.#final);
    else append((this.#followers ??= []), body);
  }

  #answer(own, outcome) {
    this.#final = { own, outcome };
    if (this.#followers !== null) map(this.#followers, (body) => body(this.#final));
    this.#onOutcome(outcome);
  }
}

module.exports = { Run };
