'use strict';

// Bursts to a fresh child: a process that has just forked sends so many messages, and the time ends when the child has
// confirmed the last; or the child sends them. Each burst has processes of its own, in which nothing has run before.

const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { median } = require('../stats');

const PROGRAM = path.join(__dirname, 'burst.js');

const TIMEOUT_MS = 30_000;

/** [what is sent, how many] */
const CASES = [
  ...[1, 10, 100, 1000, 10_000, 100_000].flatMap((count) => [
    ['small', count, 'down'],
    ['small', count, 'up'],
  ]),
  ['strings', 1000, 'down'],
  ['kilobyte', 1000, 'down'],
  ['shapes', 10_000, 'down'],
  ['graph', 1, 'down'],
  ['graph', 6, 'down'],
  ['sockets', 50, 'down'],
  ['sockets', 400, 'down'],
  ['sockets', 2000, 'down'],
];

/** Milliseconds of one burst; NaN if it takes too long, and for sockets to a Worker, which cannot be sent. */
async function run({ runtime, subject }, [kind, count, direction], ours) {
  if (subject === 'worker' && kind === 'sockets') return NaN;
  const module = subject === 'ours' ? ours : subject;
  const [file, ...args] = [...runtime, PROGRAM, module, kind, String(count), direction];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: TIMEOUT_MS });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return text ? Number(text) : NaN;
}

/** `ours` is the folder of the package. */
async function bursts({ contestants, rounds, ours }, only) {
  const rows = [];
  for (const one of CASES) {
    const name = one.join(' ');
    if (only && !only.some((part) => name.startsWith(part))) continue;
    const samples = contestants.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < contestants.length; i++) {
        const at = (i + round) % contestants.length;
        // What does not end in time is not waited for in every round.
        if (!Number.isNaN(samples[at][0])) samples[at].push(await run(contestants[at], one, ours));
      }
    }
    rows.push({ name, medians: samples.map(median) });
  }
  return rows;
}

module.exports = { bursts };
