'use strict';

const { median, quantile } = require('../stats');
const { connect } = require('./connect');
const payloads = require('./payloads');

const plan = (quick) => (quick ? { warmUp: 300, ms: 300 } : { warmUp: 2000, ms: 1500 });

/** A small message to the child and back, one at a time. */
async function roundTrip({ cp, quick }, options) {
  const end = await connect(cp, options);
  await end.ask('echo');
  const { make, check } = payloads.small();
  const { warmUp, ms } = plan(quick);
  const taken = [];
  await new Promise((resolve) => {
    let n = 0;
    let sentAt;
    let until = Infinity;
    const send = () => {
      sentAt = performance.now();
      end.send(make(n));
    };
    end.data = (message) => {
      const now = performance.now();
      check(message, n);
      n += 1;
      if (n === warmUp) until = now + ms;
      else if (n > warmUp) taken.push((now - sentAt) * 1000);
      if (now < until) send();
      else resolve();
    };
    send();
  });
  return { median: median(taken), p99: quantile(taken, 0.99) };
}

const roundTripRows = (goals) => [
  { id: 'median', unit: 'µs', better: 'less', goals },
  { id: 'p99', unit: 'µs', better: 'less' },
];

module.exports = {
  roundTrip,
  roundTripRows,
  metric: {
    name: 'round-trip',
    cases: [
      { id: 'two-cpus', cpus: [0, 1], options: { pinApart: [0, 1] }, rows: roundTripRows({ builtin: 4, bun: 1 }) },
      // Where both share a CPU, whoever keeps looking keeps the other from answering.
      { id: 'one-cpu', cpus: [0], options: {}, rows: roundTripRows({ builtin: 1 }) },
      // Left to itself the kernel chooses one of the two, and now and then changes its mind: nothing to set a goal by.
      { id: 'free', options: {}, rows: roundTripRows() },
    ],
    measure: roundTrip,
  },
};
