'use strict';

const { insideSpawn } = require('../spawn-cost');

/** spawn() as programs call it, with pipes, against what is in memory. */
module.exports = {
  name: 'spawn-memory',
  isForReport: true,
  cases: [0, 512, 1024, 2048].map((megabytes) => ({
    id: String(megabytes),
    options: { megabytes, stdio: 'pipe' },
    rows: [{ id: 'call', unit: 'µs', better: 'less' }],
  })),
  measure: insideSpawn,
};
