'use strict';

const path = require('node:path');
const { start } = require('./group');
const { pinned } = require('./pinned');

const WORKER = path.join(__dirname, 'worker.js');
const LOAD = path.join(__dirname, 'http-load.js');
const TIMEOUT_MS = 120_000;

/** The command line of `contestant` for one case, or nothing where it does not take part. */
function command(contestant, metric, oneCase, { quick, metrics }) {
  const prefix = oneCase.cpus ? pinned(oneCase.cpus) : [];
  if (!prefix) return undefined;
  if (contestant.program) {
    const args = metric.limit?.(oneCase.options, quick);
    return args && [...prefix, contestant.program, ...args];
  }
  if (metric.applies && !metric.applies(contestant)) return undefined;
  const which = [metrics, metric.name, oneCase.id, quick ? 'quick' : 'full'];
  return [...prefix, ...contestant.runtime, WORKER, contestant.subject, ...which];
}

/** Runs one metric case once in fresh processes and returns its values, `{ rowId: number }`. */
async function trial(contestant, metric, oneCase, options) {
  const { quick, node } = options;
  const subject = start(command(contestant, metric, oneCase, options), TIMEOUT_MS);
  let load;
  try {
    const first = await subject.reported;
    if (!metric.serve) return first;
    // The load comes from one and the same program whoever serves, and on a Node that is not the server's process.
    load = start([node, LOAD, String(first.port), ...metric.load(quick).map(String)], TIMEOUT_MS);
    return await load.reported;
  } finally {
    await Promise.all([subject.stop(), load?.stop()]);
  }
}

module.exports = { trial, takesPart: (...args) => Array.isArray(command(...args)) };
