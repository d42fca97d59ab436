'use strict';

// Many short processes at once, and what the event loop feels of it.

const { once } = require('node:events');
const { performance, monitorEventLoopDelay } = require('node:perf_hooks');
const { text } = require('node:stream/consumers');
const { setTimeout: sleep } = require('node:timers/promises');

const RESOLUTION_MS = 1;

async function echo(spawn, word) {
  const child = spawn('echo', [word], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return output === `${word}\n`;
}

/** One round: `count` processes started in one go, each saying its own number. Times in milliseconds. */
async function storm(spawn, count) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // Its first tick only sets its clock.
  await sleep(10);

  const began = performance.now();
  const echoes = Array.from({ length: count }, (_, i) => echo(spawn, `process ${i}`));
  const calls = performance.now() - began;
  const correct = (await Promise.all(echoes)).filter(Boolean).length;
  const finished = performance.now() - began;

  await sleep(10);
  delay.disable();
  // An idle loop reads as the timer's own interval.
  const stall = Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
  return { calls, stall, finished, correct };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * Rounds of each contestant by turns, so that what else the machine does hits both alike; the median of each figure.
 */
async function compare(contestants, { count, rounds, onRound }) {
  const results = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, spawn] of Object.entries(contestants)) {
      results[name].push(await storm(spawn, count));
      onRound?.();
    }
  }
  return Object.fromEntries(
    Object.entries(results).map(([name, all]) => [
      name,
      {
        calls: median(all.map((one) => one.calls)),
        stall: median(all.map((one) => one.stall)),
        finished: median(all.map((one) => one.finished)),
        correct: all.every((one) => one.correct === count),
      },
    ]),
  );
}

module.exports = { compare };
