'use strict';

const { SIZES } = require('./payloads');
const { rateCases, throughput } = require('./throughput');

/** JavaScript to JavaScript at full speed; the goals are those for both ends ours. */
const flow = (name, directions, options, unit, goals) => ({
  name,
  cases: rateCases(directions, options, unit, goals),
  measure: throughput,
});

const BOTH = ['to-child', 'to-parent'];
const DOWN = ['to-child'];

/** Objects of about so many bytes each, to the child. */
const bySize = {
  name: 'by-size',
  isForReport: true,
  cases: SIZES.map((bytes) => ({
    id: String(bytes),
    options: { payload: `sized-${bytes}`, direction: 'to-child' },
    rows: [{ id: 'rate', unit: 'messages/s', better: 'more' }],
  })),
  measure: throughput,
};

/** In the order of the table. A metric is what bench/metrics/index.js says it is. */
const metrics = [
  require('./reference').metric,
  flow('small', BOTH, { payload: 'small' }, 'messages/s', { builtin: 8, bun: 1.6 }),
  flow('strings', DOWN, { payload: 'strings' }, 'messages/s', { builtin: 8 }),
  flow('1kb', DOWN, { payload: 'kilobyte' }, 'messages/s', { builtin: 3 }),
  flow('graph-3mb', DOWN, { payload: 'graph' }, 'MB/s', { builtin: 2.5 }),
  flow('advanced-small', DOWN, { payload: 'small', serialization: 'advanced' }, 'messages/s', { builtin: 4, bun: 1 }),
  flow('buffer-64mb', DOWN, { payload: 'buffer', serialization: 'advanced' }, 'MB/s', { builtin: 4, bun: 1.5 }),
  require('./handles').metric,
  require('./round-trip').metric,
  require('./cpu'),
  require('./fork'),
  require('./builtin-child'),
  bySize,
];

module.exports = { metrics };
