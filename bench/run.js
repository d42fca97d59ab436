'use strict';

// npm run bench: processes. What it costs to start them, to talk to them over pipes, and to capture what they write.
// With --report: everything, written down as docs/benchmarks.md (bench/document). `npm run bench -- cold`: programs
// that use it once.

const { growth } = require('./growth');
const { runSuite } = require('./suite');

const suite = {
  entry: 'bench/run.js',
  metrics: './metrics',
  contestants: ['builtin', 'ours', 'bun', 'deno', 'tokio'],
  guests: ['before', 'node20', 'node22', 'node26'],
  needs: 'spawn',
  example: 'spawn-pipe/2gb',
  note: "V8's own heap is spared by the builtin's fork (nodejs/node #48523); the 2 GB are Buffers, which are not.",
  above: () => [],
  below: growth,
};

if (process.argv[2] === 'cold') require('./cold').main(process.argv.slice(3));
else if (process.argv.includes('--report')) require('./document').main();
else runSuite(suite);
