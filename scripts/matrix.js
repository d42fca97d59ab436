'use strict';

// `npm run test:matrix`: the whole suite under each Node that is supported. The binaries come from npm
// (node-linux-<arch>), are kept in .cache/ and fetched once; the Node at hand serves for its own major version. With
// --others it is left out: `npm test` is just that. Further arguments go to ava.

const path = require('node:path');

const { ROOT, nodeOf, run } = require('./peers');

const MAJORS = ['20', '22', '24', '26'];
const OTHERS = '--others';
const given = process.argv.slice(2).filter((argument) => argument !== OTHERS);
const AVA = path.join(ROOT, 'node_modules/ava/entrypoints/cli.mjs');

/**
 * Runs the suite. What fails must fail twice: these are thousands of tests of real processes, on a machine that others
 * load, too.
 */
async function outcomeOn(major, title) {
  try {
    const node = await nodeOf(major);
    const isGreen = async () => (await run(node, [AVA, ...given])) === 0;
    console.log(`\n── ${title} ──`);
    if (await isGreen()) return 'passed';
    console.log(`\n── ${title}, once more ──`);
    return (await isGreen()) ? 'passed, once more' : 'FAILED';
  } catch (error) {
    return `FAILED: ${error.message}`;
  }
}

async function main() {
  const results = [];
  const [atHand] = process.versions.node.split('.');
  const majors = process.argv.includes(OTHERS) ? MAJORS.filter((major) => major !== atHand) : MAJORS;
  for (const [i, major] of majors.entries()) {
    const began = Date.now();
    const outcome = await outcomeOn(major, `Node ${major} (${i + 1} of ${majors.length})`);
    results.push({ major, outcome, seconds: Math.round((Date.now() - began) / 1000) });
  }
  console.log('\n── Summary ──');
  for (const { major, outcome, seconds } of results) console.log(`Node ${major}  ${outcome}  (${seconds} s)`);
  process.exitCode = results.some(({ outcome }) => outcome.startsWith('FAILED')) ? 1 : 0;
}

main();
