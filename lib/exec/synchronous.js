'use strict';

// Commands that block until they have ended: $.sync and sh.sync.

const { append } = require('../common/arrays');
const { now } = require('../common/clock');
const { refuse, spawnOptions } = require('./options');
const { bytesOf, isKept, isSyncIterable, isWhole, redirectionsOf } = require('./redirect');
const { outcomeOf, present, summaryOf } = require('./result');

// What only works while JavaScript runs.
const ASYNCHRONOUS = ['all', 'detached', 'signal'];

function checkSynchronous(settings, { input, targets }) {
  for (let i = 0; i < ASYNCHRONOUS.length; i++) {
    const value = settings[ASYNCHRONOUS[i]];
    if (value) refuse(ASYNCHRONOUS[i], value, 'does not work synchronously');
  }
  if (targets[1].length + targets[2].length > 0) refuse('stdout', 'a stream', 'does not work synchronously');
  const isKnown = isWhole(input) || isSyncIterable(input);
  if (input !== undefined && !isKnown) refuse('input', input, 'does not work synchronously');
}

/** All of the input as bytes; undefined if there is none. */
function collected(input) {
  if (typeof input === 'string') return Buffer.from(input);
  if (input === undefined || isWhole(input)) return bytesOf(input);
  const chunks = [];
  const iterator = input[Symbol.iterator]();
  for (let next = iterator.next(); !next.done; next = iterator.next()) append(chunks, Buffer.from(next.value));
  return Buffer.concat(chunks);
}

/** Runs a command to its end. Returns its Result, or throws a CommandError. */
function runSync(spawnSync, { file, args, settings, shown }) {
  const begun = now();
  const log = (line) => settings.verbose !== 'none' && process.stderr.write(`${line}\n`);
  let ended;
  try {
    const redirections = redirectionsOf(settings);
    try {
      checkSynchronous(settings, redirections);
      log(`$ ${shown}`);
      const { killSignal, maxBuffer, timeout } = settings;
      const input = collected(redirections.input);
      const limits = { encoding: 'buffer', input, killSignal, maxBuffer, timeout };
      ended = spawnSync(file, args, { ...spawnOptions(settings, redirections.stdio), ...limits });
    } finally {
      redirections.abandon();
    }
  } catch (error) {
    if (error.syscall === undefined) throw error;
    ended = { status: null, signal: null, error };
  }
  const value = (index) => {
    if (!isKept(settings, index)) return undefined;
    const bytes = ended.output?.[index] ?? Buffer.alloc(0);
    return present(bytes, settings);
  };
  const { error, signal, status } = ended;
  const timedOut = error?.code === 'ETIMEDOUT';
  const isMaxBuffer = error?.code === 'ENOBUFS';
  const properties = {
    command: shown,
    exitCode: status,
    signal,
    failed: error !== undefined || status !== 0,
    timedOut,
    isCanceled: false,
    isMaxBuffer,
    durationMs: now() - begun,
    resourceUsage: null,
    stdout: value(1),
    stderr: value(2),
  };
  const cause = timedOut || isMaxBuffer ? undefined : error;
  const outcome = outcomeOf(properties, settings, cause);
  log(summaryOf(outcome));
  if (outcome.failed) Error.captureStackTrace(outcome, runSync);
  if (outcome.failed && settings.reject) throw outcome;
  return outcome;
}

module.exports = { runSync };
