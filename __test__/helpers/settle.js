'use strict';

// Waiting for a child to be over, whatever it was, and for the process to be back where it began.

const { setTimeout: sleep } = require('node:timers/promises');

const { childrenOf, countAllFds, countZombies, leftovers, snapshot } = require('../parity/leftovers');

/** Resolves with how the child ended, once it closed. A spawn that throws is an ending too. */
function ending(spawn) {
  return new Promise((resolve) => {
    let child;
    try {
      child = spawn();
    } catch (error) {
      resolve({ thrown: error.code ?? error.name });
      return;
    }
    let failed;
    child.on('error', (error) => {
      failed = error.code;
    });
    child.on('close', (code, signal) => resolve(failed ? { failed } : { code, signal }));
  });
}

/** Polls until `done()` holds; false when it does not in time. */
async function until(done, patienceMs = 60_000) {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    if (await done()) return true;
    await sleep(10);
  }
  return false;
}

/** The memory in use outside V8's heap, MB, after collecting garbage where `--expose-gc` allows it. */
async function rssMb() {
  for (let i = 0; i < 3; i++) {
    global.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // What V8 has taken for its heap it keeps, full or not.
  const { rss, heapTotal } = process.memoryUsage();
  return (rss - heapTotal) / 2 ** 20;
}

/** How much more than `before` is in use, MB, to one decimal; what is on its way back below `bound` is waited for. */
async function rssGrowthMb(before, bound) {
  await until(async () => (await rssMb()) - before < bound, 10_000);
  return Math.round(((await rssMb()) - before) * 10) / 10;
}

module.exports = { childrenOf, countAllFds, countZombies, ending, leftovers, rssGrowthMb, rssMb, snapshot, until };
