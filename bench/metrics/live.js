'use strict';

const fs = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const rows = [
  { id: 'kb', unit: 'KB RSS', better: 'less', goals: { builtin: 1 } },
  { id: 'fds', unit: 'fds', better: 'less', goals: { builtin: 1 } },
];

// V8's gc() is a full collection without an argument; Bun's is a synchronous one with `true`.
const collect = globalThis.Bun ? () => globalThis.Bun.gc(true) : () => globalThis.gc();

/** Resident memory of this process once what is garbage has gone, in KB. */
async function settledRss() {
  for (let i = 0; i < 4; i += 1) {
    collect();
    await sleep(30);
  }
  return process.memoryUsage().rss / 1024;
}

const openFds = () => fs.readdirSync('/proc/self/fd').length;

/**
 * Starts `count` children that do nothing; resolves once all run. `touch` uses the streams as a program that reads
 * would.
 */
async function startSleepers(cp, count, { stdio, touch }) {
  const children = Array.from({ length: count }, () => cp.spawn('sleep', ['1000'], { stdio }));
  await Promise.all(
    children.map(
      (child) =>
        new Promise((resolve, reject) => {
          child.once('error', reject).once('spawn', resolve);
          if (!touch) return;
          child.stdout.on('data', () => {});
          child.stderr.on('data', () => {});
        }),
    ),
  );
  return children;
}

async function end(children) {
  await Promise.all(
    children.map(
      (child) =>
        new Promise((resolve) => {
          child.once('close', resolve).kill('SIGKILL');
        }),
    ),
  );
}

/** What the parent pays for each child that is alive: its resident memory and open fds, over 200 of them. */
module.exports = {
  name: 'live',
  cases: [
    { id: 'ignore', options: { stdio: 'ignore' }, rows },
    { id: 'pipe', options: { stdio: 'pipe' }, rows },
    { id: 'pipe-read', options: { stdio: 'pipe', touch: true }, rows },
  ],
  async measure({ cp, quick }, options) {
    const count = quick ? 40 : 200;
    // What the first children that live on cost once (code compiled, pools grown) is not what a child costs.
    const first = await startSleepers(cp, count, options);
    await settledRss();
    await end(first);
    const before = await settledRss();
    const children = await startSleepers(cp, count, options);
    const during = { kb: await settledRss(), fds: openFds() };
    await end(children);
    await settledRss();
    // Memory below zero: the allocator gave more back than the children took, which is nothing that can be measured.
    // Descriptors that stay are not theirs.
    return { kb: Math.max(0, during.kb - before) / count, fds: (during.fds - openFds()) / count };
  },
};
