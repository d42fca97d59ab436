'use strict';

// npm run bench:ipc: messages. The table that is always quoted for the kernel's own means, and under it what the
// channel between a parent and its fork makes of them, from JavaScript to JavaScript.

const { nearness, referenceTable } = require('./channel/reference');
const { runSuite } = require('./suite');

runSuite({
  entry: 'bench/ipc.js',
  metrics: './channel',
  contestants: ['rust', 'builtin', 'ours', 'bun'],
  guests: ['before', 'node20', 'node22', 'node26', 'deno'],
  needs: 'fork',
  example: 'small/to-child',
  note:
    "Each channel joins a parent to its own fork: both ends ours, both the builtin's, both Bun's; " +
    "in builtin-child the child's is the builtin's.",
  above: referenceTable,
  below: nearness,
});
