'use strict';

const MIN_CALLS = 20;

/**
 * Spawns `file` again and again, each after the one before it has closed, and returns for each the µs that spawn()
 * itself took and the µs until 'close'. Ends after `calls` or, where a call takes long, after `seconds`.
 */
async function spawnOneByOne(cp, file, stdio, { calls, warmUp, seconds }) {
  const inside = [];
  const untilClose = [];
  let end;
  for (let i = 0; i < warmUp + calls; i += 1) {
    if (i === warmUp) end = performance.now() + seconds * 1000;
    if (i >= warmUp + MIN_CALLS && performance.now() > end) break;
    const from = performance.now();
    const child = cp.spawn(file, [], { stdio });
    const returned = performance.now();
    // As a program that uses pipes does: read what comes. Without pipes there is nothing to read.
    child.stdout?.resume();
    child.stderr?.resume();
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (i < warmUp) continue;
    inside.push((returned - from) * 1000);
    untilClose.push((performance.now() - from) * 1000);
  }
  return { inside, untilClose };
}

module.exports = { spawnOneByOne };
