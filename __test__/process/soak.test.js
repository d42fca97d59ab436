'use strict';

// A short run of soak.js; the long one is `node __test__/process/soak.js 20000`.

const test = require('ava');
const path = require('node:path');

const { runNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const SPAWNS = 2000;

test(`${SPAWNS} spawns, a quarter failing: all ends where it began`, async (t) => {
  const { stdout, stderr, timedOut, signal } = await runNode([path.join(__dirname, 'soak.js'), String(SPAWNS)], {
    env: { SOAK_SUBJECT: OURS },
    timeout: 500_000,
  });
  t.false(timedOut, 'it ends by itself');
  t.is(signal, null, stderr);
  const { left, clean, tally, rssGrowth } = JSON.parse(stdout);
  t.log(`RSS grew by ${rssGrowth} MB`);
  t.deepEqual(left.resources, []);
  t.true(clean, stdout);
  const failures = Object.entries(tally)
    .filter(([label]) => /^(thrown|error)/.test(label))
    .reduce((sum, [, count]) => sum + count, 0);
  t.is(failures, SPAWNS / 4);
  t.is(tally['code 0'] + tally['code 1'] + tally['code 3'] + tally.SIGKILL + tally.SIGTERM, (SPAWNS * 3) / 4);
});
