'use strict';

// What exec and execFile tell, to their callback and by the events of the child they return; what the synchronous calls
// return or throw, and in which order its properties stand.

const values = require('./values');

const EVENTS = ['spawn', 'error', 'exit', 'close'];

function kindOf(value) {
  if (value instanceof Error) return `Error with ${Object.keys(value).join(', ')}`;
  return Buffer.isBuffer(value) ? 'Buffer' : value === null ? 'null' : typeof value;
}

function stateOf({ exitCode, signalCode, killed }) {
  return { exitCode, signalCode, killed };
}

// Two turns of the loop: a callback that comes twice is seen.
function aMoment() {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/**
 * Calls `start(callback)`, which returns a child. Resolves with what it threw, or with every call of the callback and
 * the child's events in their order, once both are over. `callback: false` waits for 'close' alone; `events: false`
 * leaves out what the child did, where that is a race between the child's own end and its being killed; `touch(child)`
 * runs at once.
 */
async function collect(t, start, { callback: awaited = true, events = true, touch = () => {} } = {}) {
  const calls = [];
  const order = [];
  let called;
  const answered = new Promise((resolve) => {
    called = resolve;
  });
  let child;
  try {
    child = start((...args) => {
      calls.push({ kinds: args.map(kindOf), args: args.map((arg) => t.describe(arg)) });
      order.push('callback');
      called();
    });
  } catch (error) {
    return { thrown: t.describe(error), calls };
  }
  const closed = new Promise((resolve) => {
    for (const event of EVENTS) {
      child.on(event, (...args) => {
        // What is there already when the start is told is a race.
        order.push(event === 'spawn' ? event : [event, args.map((arg) => t.describe(arg)), stateOf(child)]);
        if (event === 'close') resolve();
      });
    }
  });
  await touch(child);
  await Promise.all([closed, awaited ? answered : null]);
  await aMoment();
  return events ? { calls, order } : { calls };
}

// The number differs from run to run; whether there is one does not. It stands at any depth of what was thrown.
function withoutPids(data) {
  return JSON.parse(JSON.stringify(data), (key, value) => (key === 'pid' && value > 0 ? 'a pid' : value));
}

/** Calls `fn`, which waits for a program; says what it returned or threw, and the order of its properties. */
function sync(t, fn) {
  try {
    const value = fn();
    const keys = value !== null && typeof value === 'object' && !Buffer.isBuffer(value) ? Object.keys(value) : [];
    return withoutPids({ returned: t.describe(value), kind: kindOf(value), keys, kinds: kindsWithin(value) });
  } catch (error) {
    return withoutPids({ thrown: t.describe(error), kind: kindOf(error), kinds: kindsWithin(error) });
  }
}

/** What `sync` says of `fn(value)` for each of the values, but those whose labels are in `skip`. */
function syncForEachValue(t, fn, { skip = [] } = {}) {
  const outcomes = {};
  for (const [label, value] of values()) if (!skip.includes(label)) outcomes[label] = sync(t, () => fn(value));
  return outcomes;
}

function kindsWithin(value) {
  if (!Array.isArray(value?.output)) return null;
  return {
    output: value.output.map(kindOf),
    stdout: value.stdout === value.output[1],
    stderr: value.stderr === value.output[2],
  };
}

module.exports = { aMoment, collect, sync, syncForEachValue };
