'use strict';

// A short run of handles-soak.js; the long one is `node __test__/channel/handles-soak.js 100000`.

const test = require('ava');
const path = require('node:path');

const { runNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const SOCKETS = 4000;

test.serial(
  `${SOCKETS} sockets sent to workers of which some are killed: no descriptor is left, no connection without an owner`,
  async (t) => {
    const args = [path.join(__dirname, 'handles-soak.js'), String(SOCKETS)];
    const { stdout, stderr, timedOut } = await runNode(args, { env: { SOAK_SUBJECT: OURS }, timeout: 120_000 });
    t.false(timedOut, 'it ends by itself');
    const { clean, killed } = JSON.parse(stdout || '{}');
    t.true(clean, stdout + stderr);
    t.true(killed > 0);
  },
);
