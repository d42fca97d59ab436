'use strict';

const { mark } = require('../report');
const { number, table } = require('../table');

// The figures published with rigtorp/ipc-bench, in C on one CPU at 3.3 GHz, for messages of 100 bytes.
const PUBLISHED = {
  tcp: { latency: 6, throughput: 253_702 },
  uds: { latency: 2, throughput: 1_733_874 },
  pipe: { latency: 2, throughput: 1_682_796 },
};
const TRANSPORTS = Object.keys(PUBLISHED);

const rows = [
  { id: 'latency', unit: 'µs', better: 'less' },
  { id: 'throughput', unit: 'messages/s', better: 'more' },
  { id: 'large reads', unit: 'messages/s', better: 'more' },
];

/** What two Rust programs do without JavaScript, a message or its serialization: the floor of any channel. */
const metric = {
  name: 'ipc-bench',
  isApart: true,
  cases: TRANSPORTS.flatMap((transport) => [
    { id: transport, options: { transport }, rows },
    { id: `${transport}-one-cpu`, cpus: [0], options: { transport }, rows },
  ]),
  applies: () => false,
  limit: ({ transport }, quick) => [transport, quick ? '0.1' : '1'],
};

const medianOf = (all, name, who) => all.find((row) => row.name === name)?.medians[who];

/** The reference table, as it was published and as it is here. */
function referenceTable(all) {
  if (!all.some(({ medians }) => medians.rust !== undefined)) return [];
  const here = (where, id) =>
    TRANSPORTS.map((transport) => number(medianOf(all, `${metric.name} ${transport}${where} ${id}`, 'rust')));
  const published = (id) => TRANSPORTS.map((transport) => number(PUBLISHED[transport][id]));
  return [
    table([
      ['100 bytes, two processes', 'unit', ...TRANSPORTS.map((name) => name.toUpperCase())],
      ['latency: half a round trip', 'µs', ...here('', 'latency')],
      ['  both on one CPU', 'µs', ...here('-one-cpu', 'latency')],
      ['  published (C, one CPU)', 'µs', ...published('latency')],
      ['throughput: a write and a read each', 'messages/s', ...here('', 'throughput')],
      ['  both on one CPU', 'messages/s', ...here('-one-cpu', 'throughput')],
      ['  published (C, one CPU)', 'messages/s', ...published('throughput')],
      ['throughput: a write each, reads of 64 kB', 'messages/s', ...here('', 'large reads')],
      ['  both on one CPU', 'messages/s', ...here('-one-cpu', 'large reads')],
    ]),
    '',
  ];
}

/**
 * How near the channel comes: small messages beside the published figure for C over a UDS, and beside Rust over one
 * here.
 */
function nearness(all, names) {
  const floor = PUBLISHED.uds.throughput;
  const limit = medianOf(all, `${metric.name} uds throughput`, 'rust');
  return ['small to-child', 'small to-parent'].flatMap((which) => {
    const each = names.flatMap((who) => {
      const rate = medianOf(all, `${which} rate`, who);
      if (rate === undefined) return [];
      const beside = limit ? `, ${number(rate / limit)}× Rust here` : '';
      return `${who} ${number(rate / floor)}×${who === 'ours' ? ` ${mark(rate >= floor)}` : ''}${beside}`;
    });
    return each.length > 0
      ? [`${which}, over the ${number(floor)}/s published for C over a UDS: ${each.join('; ')}`]
      : [];
  });
}

module.exports = { PUBLISHED, TRANSPORTS, metric, nearness, referenceTable };
