'use strict';

const path = require('node:path');
const { pinTo } = require('../pinned');
const { End } = require('./end');

const CHILD = path.join(__dirname, 'child.js');

/**
 * The parent's end of a channel to bench/channel/child.js, which is ready.
 * `childEnd: 'builtin'` keeps our own channel out of the child, which then has its runtime's. `pinApart: [0, 1]` puts
 * us on the first CPU and the child on the second, once both are up and have seen what the machine has.
 */
async function connect(cp, { serialization = 'json', childEnd, pinApart }) {
  const env = childEnd ? { ...process.env, CHILD_PROCESS_RS_CHANNEL: childEnd } : process.env;
  const child = cp.fork(CHILD, [], { serialization, env });
  // Thrown, not awaited: a child that goes while it is measured must fail the trial, whatever waits for it.
  child.on('error', (error) => {
    throw error;
  });
  child.on('exit', (code, signal) => {
    throw new Error(`the child ended with ${signal ?? code}`);
  });
  const end = new End(child);
  await end.next('ready');
  if (pinApart) [process, child].forEach(({ pid }, i) => pinTo(pinApart[i], pid));
  return end;
}

module.exports = { connect };
