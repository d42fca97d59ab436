'use strict';

// A short run of exec-soak.js; the long one is `node __test__/exec-soak.js 10000`.

const test = require('ava');
const path = require('node:path');

const { runNode } = require('./helpers/run-node');
const { OURS } = require('./parity/harness');

const COMMANDS = 600;

test(`${COMMANDS} mixed commands: descriptors, zombies, timers and memory end where they began`, async (t) => {
  const { stdout, stderr, timedOut, signal } = await runNode([path.join(__dirname, 'exec-soak.js'), String(COMMANDS)], {
    env: { SOAK_SUBJECT: OURS },
    timeout: 500_000,
  });
  t.false(timedOut, `it ends by itself\n${stdout}`);
  t.is(signal, null, stderr);
  const { left, clean, tally, rssGrowth } = JSON.parse(stdout);
  t.log(`RSS grew by ${rssGrowth} MB`);
  t.deepEqual(left.resources, []);
  t.true(clean, stdout);
  t.is(
    Object.values(tally).reduce((sum, count) => sum + count, 0),
    COMMANDS,
  );
  // Each kind of command ended in one way, every time.
  const kinds = Object.keys(tally).map((label) => label.split(': ')[0]);
  t.deepEqual([...new Set(kinds)].sort(), kinds.sort(), JSON.stringify(tally, null, 2));
});
