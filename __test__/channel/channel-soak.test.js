'use strict';

// A short run of channel-soak.js; the long one is `node --expose-gc __test__/channel/channel-soak.js 1000000`.

const test = require('ava');
const path = require('node:path');

const { runNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const MESSAGES = 20_000;
// So little is sent that what V8 and the allocator keep for themselves weighs more.
const SLACK_MB = 100;

for (const serialization of ['json', 'advanced']) {
  test.serial(
    `${MESSAGES} messages each way, stalling readers: each arrives once, in order, nothing is left (${serialization})`,
    async (t) => {
      const args = ['--expose-gc', path.join(__dirname, 'channel-soak.js'), String(MESSAGES), serialization];
      const { stdout, stderr, timedOut } = await runNode(args, { env: { SOAK_SUBJECT: OURS }, timeout: 500_000 });
      t.false(timedOut, 'it ends by itself');
      const { arrived, memoryGrowthMb, fdGrowth } = JSON.parse(stdout || '{}');
      t.true(arrived, stdout + stderr);
      t.log(`memory grew by ${memoryGrowthMb} MB`);
      t.true(
        memoryGrowthMb.every((megabytes) => megabytes < SLACK_MB),
        stdout,
      );
      t.true(
        fdGrowth.every((count) => count <= 1),
        stdout,
      );
    },
  );
}
