'use strict';

// Two processes start the same programs, one with the builtin and one with this package. Shows how often their event
// loops are blocked: animated in a terminal, otherwise only the result.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { dim, green, red } = require('./print');

const HEARTBEAT = path.join(__dirname, 'heartbeat.js');
const OURS = path.join(__dirname, '../../index.js');

const BEAT_MS = 5;
const FRAME_MS = 80;
const FRAMES = 50;
// The number of beats in a frame if the event loop is never blocked.
const FULL = FRAME_MS / BEAT_MS;
const BARS = '▁▂▃▄▅▆▇█';

async function start(name, module, megabytes) {
  const child = fork(HEARTBEAT, [module, String(megabytes)], { execArgv: [] });
  const loop = { name, child, beats: 0, frames: [], result: undefined };
  await once(child, 'message');
  child.on('message', (message) => {
    if (message === 'beat') loop.beats += 1;
    else loop.result = message;
  });
  return loop;
}

function bar(beats) {
  const text = BARS[Math.min(BARS.length - 1, Math.floor((beats / FULL) * BARS.length))];
  return beats < FULL / 2 ? red(text) : green(text);
}

const line = ({ name, frames }) => `  ${name.padEnd(18)}${frames.map(bar).join('')}`;

function draw(loops, isFirst) {
  const up = isFirst ? '' : `\x1b[${loops.length}A`;
  process.stdout.write(`${up}${loops.map((loop) => `\x1b[2K${line(loop)}\n`).join('')}`);
}

async function beat(loops) {
  for (const { child } of loops) child.send('go');
  for (let frame = 0; frame < FRAMES; frame++) {
    await sleep(FRAME_MS);
    for (const loop of loops) {
      loop.frames.push(loop.beats);
      loop.beats = 0;
    }
    if (process.stdout.isTTY) draw(loops, frame === 0);
  }
  for (const { child } of loops) child.send('stop');
  await Promise.all(loops.map(({ child }) => once(child, 'exit')));
}

function summary({ name, frames, result }) {
  const beats = frames.reduce((sum, each) => sum + each, 0);
  const share = Math.min(100, Math.round((beats / (FULL * FRAMES)) * 100));
  return `  ${name.padEnd(18)}${String(share).padStart(3)} % of the beats, ${result.started} programs started`;
}

/** Shows both event loops for some seconds. Resolves to whether every started program succeeded. */
async function showLoops(megabytes) {
  const loops = [
    await start('builtin', 'node:child_process', megabytes),
    await start('child-process-rs', OURS, megabytes),
  ];
  await beat(loops);
  if (!process.stdout.isTTY) for (const loop of loops) console.log(line(loop));
  console.log(dim(`  A bar is ${FRAME_MS} ms; it is low where the loop was blocked.`));
  for (const loop of loops) console.log(summary(loop));
  return loops.every(({ result }) => result?.started > 0 && result.failed === 0);
}

module.exports = { showLoops };
