'use strict';

// What the soaks of processes share: jobs, a bounded number at once, and what is left over after them.

const { countAllFds, leftovers, rssGrowthMb, rssMb, snapshot, until } = require('./settle');

// What V8 and the allocator keep for themselves differs from run to run; a leak of 1 kB a process shows in 20,000.
const RSS_SLACK_MB = 24;

/** Does `job(0)`, `job(1)` …, `atOnce` at a time, and counts how they ended, which is what they resolve with. */
async function tally(count, atOnce, job) {
  const ended = {};
  let started = 0;
  async function lane() {
    while (started < count) {
      const ending = await job(started++);
      ended[ending] = (ended[ending] ?? 0) + 1;
      if (process.stderr.isTTY && started % 500 === 0) process.stderr.write(`\r${started} of ${count}`);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (process.stderr.isTTY) process.stderr.write('\n');
  return ended;
}

/** Does `total` jobs after `warmUp` others, and says what is left over of them; `clean`: nothing. */
async function soak({ total, warmUp, atOnce, job }) {
  require('node:v8').setFlagsFromString('--expose-gc');
  global.gc = require('node:vm').runInNewContext('gc');

  await tally(warmUp, atOnce, job);
  const before = snapshot();
  const fdsBefore = countAllFds();
  const rssBefore = await rssMb();
  const began = Date.now();
  const ended = await tally(total, atOnce, job);

  const left = await leftovers(before, 30_000);
  const rssGrowth = await rssGrowthMb(rssBefore, RSS_SLACK_MB);
  // One more may be the loop's own, made late.
  await until(() => countAllFds() - fdsBefore <= 1, 10_000);
  const fdGrowth = countAllFds() - fdsBefore;
  const isNothingLeft = left.fds <= 0 && fdGrowth <= 1 && left.zombies <= 0 && left.resources.length === 0;
  const clean = isNothingLeft && rssGrowth < RSS_SLACK_MB;
  return { seconds: (Date.now() - began) / 1000, tally: ended, left, fdGrowth, rssGrowth, clean };
}

module.exports = { soak };
