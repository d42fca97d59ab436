'use strict';

// Writes down what a child does. Events of different streams interleave as the kernel pleases, so each stream has its
// own sequence, and the child's own events (spawn, error, exit, close …) have theirs; within each the order is exact.

const { setTimeout: sleep } = require('node:timers/promises');

const CHILD_EVENTS = ['spawn', 'error', 'exit', 'close', 'disconnect', 'message'];
const STREAM_EVENTS = ['error', 'end', 'finish', 'close'];
const STREAM_NAMES = ['stdin', 'stdout', 'stderr'];
const PATIENCE = Number(process.env.PARITY_PATIENCE ?? 1);
const STRAGGLER_MS = 200 * PATIENCE;
// In which what must not come after all would come.
const LATE_MS = 10 * PATIENCE;

function stateOf(child) {
  const { exitCode, signalCode, killed, connected } = child;
  return { exitCode, signalCode, killed, connected, pid: typeof child.pid };
}

// Where one write of the child ends and the next begins is not deterministic: neighbouring chunks count as one.
function recordStream(stream, describe) {
  const sequence = [];
  let chunks = [];
  const flush = () => {
    if (chunks.length > 0) sequence.push(['data', describe(Buffer.concat(chunks))]);
    chunks = [];
  };
  for (const event of STREAM_EVENTS) {
    stream.on(event, (...args) => {
      flush();
      sequence.push([event, ...args.map((arg) => describe(arg))]);
    });
  }
  if (stream.readable) stream.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
  const closed = new Promise((resolve) => stream.once('close', resolve));
  return { sequence, closed };
}

// Whether a loop notices the end of a process or the end of its channel first is a race, under the builtin as well: a
// child with a channel has a sequence for each, and each event its own part of the state.
function bySource(events) {
  const channel = [];
  const process = [];
  for (const [name, args, { connected, ...state }] of events) {
    if (name === 'message' || name === 'disconnect') channel.push([name, args, connected]);
    else process.push([name, args, state]);
  }
  return { channel, process };
}

// stdin is not waited for by 'close', and may end a little later, or never when the spawn failed.
function allClosed(streams) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, STRAGGLER_MS);
    Promise.all(streams.map((one) => one.closed)).then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * Listens to everything `child` emits. Resolves once it has closed, with the sequences.
 * `streams: false` leaves the stdio streams untouched. `until: 'exit'` is for a child that the parent disconnects from:
 * its 'close' never comes. `ignore` names events that are not written down.
 */
function record(child, { describe, streams = true, until = 'close', ignore = [] }) {
  const hasChannel = child.channel !== undefined;
  const events = [];
  const closed = new Promise((resolve) => {
    for (const event of CHILD_EVENTS) {
      child.on(event, (...args) => {
        if (!ignore.includes(event)) events.push([event, args.map((arg) => describe(arg)), describe(stateOf(child))]);
        if (event === until) resolve();
      });
    }
  });

  const recorded = new Map();
  if (streams && Array.isArray(child.stdio)) {
    child.stdio.forEach((stream, fd) => {
      if (stream) recorded.set(STREAM_NAMES[fd] ?? `fd ${fd}`, recordStream(stream, describe));
    });
  }

  return closed.then(async () => {
    if (until !== 'close') await sleep(LATE_MS);
    await allClosed([...recorded.values()]);
    const sequences = {};
    for (const [name, { sequence }] of recorded) sequences[name] = sequence;
    return { events: hasChannel ? bySource(events) : events, streams: sequences };
  });
}

module.exports = { record };
