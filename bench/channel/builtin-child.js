'use strict';

const { builtinChildCases: handleCases, measure: measureHandles } = require('./handles');
const { roundTrip, roundTripRows } = require('./round-trip');
const { rateRows, throughput } = require('./throughput');

const AS_GOOD = { builtin: 1 };

const rate = (id, options) => ({ id, options, rows: rateRows('messages/s', AS_GOOD) });

/** Our parent against a child that has the builtin's channel: what a child gets that is not ours to preload. */
module.exports = {
  name: 'builtin-child',
  cases: [
    rate('small-to-child', { payload: 'small', direction: 'to-child' }),
    rate('small-to-parent', { payload: 'small', direction: 'to-parent' }),
    rate('strings', { payload: 'strings' }),
    rate('1kb', { payload: 'kilobyte' }),
    rate('advanced-small', { payload: 'small', serialization: 'advanced' }),
    { id: 'round-trip', cpus: [0, 1], options: { pinApart: [0, 1] }, rows: roundTripRows(AS_GOOD) },
    ...handleCases.map((oneCase) => ({ ...oneCase, id: `handles-${oneCase.id}` })),
  ],
  // The child of any other runtime is not the builtin.
  applies: ({ name }) => ['builtin', 'ours', 'before'].includes(name),
  measure(context, options) {
    const run = options.payload ? throughput : options.kind ? measureHandles : roundTrip;
    return run(context, { ...options, childEnd: 'builtin' });
  },
};
