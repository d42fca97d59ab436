'use strict';

const { connect } = require('./connect');
const { cpuOver } = require('./cpu-over');
const payloads = require('./payloads');

const plan = (quick) => ({ settle: 200, ms: quick ? 300 : 1000 });
const ANSWERS = 200;

/** Quick answers first: what an end does while it hopes for another is what must not go on when none comes. */
async function talk(end, { make }) {
  await end.ask('echo');
  for (let n = 0; n < ANSWERS; n += 1) {
    await new Promise((resolve) => {
      end.data = resolve;
      end.send(make(n));
    });
  }
}

/** `perSecond` messages to the child, as evenly as a timer can, until stopped. */
function pace(end, { make }, perSecond) {
  const from = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - from) / 1000) * perSecond;
    for (; sent < due; sent += 1) end.send(make(sent));
  }, 1000 / perSecond);
  return () => {
    clearInterval(timer);
    return sent / ((performance.now() - from) / 1000);
  };
}

/** The CPU time of both processes together. */
async function cpu({ cp, quick }, { perSecond }) {
  const end = await connect(cp, {});
  const payload = payloads.small();
  await talk(end, payload);
  const during = plan(quick);
  const stop = perSecond ? pace(end, payload, perSecond) : undefined;
  const [theirs, ours] = await Promise.all([end.ask('cpu', { plan: during }), cpuOver(during)]);
  const perS = (theirs.ms + ours) / (during.ms / 1000);
  return stop ? { 'a message': (perS * 1000) / stop() } : { 'a second': perS };
}

/** What a connection costs that is not in use, and one that is used a little, in one direction. */
module.exports = {
  name: 'cpu',
  cases: [
    // Both are next to nothing; half a millisecond is what two runs of the same may differ by.
    {
      id: 'idle',
      options: {},
      rows: [{ id: 'a second', unit: 'ms', better: 'less', goals: { builtin: { over: 0.5 } } }],
    },
    {
      id: 'paced',
      options: { perSecond: 1000 },
      rows: [{ id: 'a message', unit: 'µs', better: 'less', goals: { builtin: 1 } }],
    },
  ],
  measure: cpu,
};
