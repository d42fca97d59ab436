'use strict';

const { connect } = require('./connect');
const { drain, pump } = require('./flow');
const payloads = require('./payloads');

const plan = (quick) => (quick ? { warmUp: 100, ms: 300 } : { warmUp: 500, ms: 2000 });

/** One payload in one direction, at full speed. */
async function throughput({ cp, quick }, options) {
  const end = await connect(cp, options);
  const payload = payloads[options.payload]();
  const { warmUp, ms } = plan(quick);
  const run =
    options.direction === 'to-parent'
      ? (time) => end.ask('pump', { payload: options.payload, ms: time })
      : (time) => pump(end, payload, time);
  if (options.direction === 'to-parent') drain(end, payload);
  else await end.ask('drain', { payload: options.payload });

  await run(warmUp);
  const { count, ms: elapsed } = await run(ms);
  const perSecond = count / (elapsed / 1000);
  return { rate: payload.bytes ? (perSecond * payload.bytes) / 1e6 : perSecond };
}

const rateRows = (unit, goals) => [{ id: 'rate', unit, better: 'more', goals }];

/** A case of a throughput metric for each direction. */
const rateCases = (directions, options, unit, goals) =>
  directions.map((direction) => ({ id: direction, options: { ...options, direction }, rows: rateRows(unit, goals) }));

module.exports = { rateCases, rateRows, throughput };
