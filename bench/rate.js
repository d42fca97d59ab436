'use strict';

/**
 * Runs `work` with `width` of it in flight at any time for `seconds` after a warm-up; returns how many finished a
 * second.
 */
async function rateOf(work, { width, warmUp, seconds, onStart }) {
  let finished = 0;
  let stop = false;
  const lane = async () => {
    while (!stop) {
      await work();
      finished += 1;
    }
  };
  const lanes = Array.from({ length: width }, lane);
  const failed = Promise.all(lanes);
  const pause = (s) => Promise.race([new Promise((resolve) => setTimeout(resolve, s * 1000)), failed]);
  await pause(warmUp);
  finished = 0;
  onStart?.();
  const from = performance.now();
  await pause(seconds);
  const rate = finished / ((performance.now() - from) / 1000);
  stop = true;
  await failed;
  return rate;
}

/** The same for calls that block: one after another, nothing else on the loop. */
function rateOfSync(work, { warmUp, seconds }) {
  const runFor = (s) => {
    let finished = 0;
    const from = performance.now();
    do {
      work();
      finished += 1;
    } while (performance.now() - from < s * 1000);
    return finished / ((performance.now() - from) / 1000);
  };
  runFor(warmUp);
  return runFor(seconds);
}

module.exports = { rateOf, rateOfSync };
