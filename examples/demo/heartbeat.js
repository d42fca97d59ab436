'use strict';

// One of the two processes that the demo compares: it sends a beat from its event loop every 5 ms while it starts
// programs. `heartbeat.js SUBJECT MEGABYTES`: SUBJECT is the module that starts them, MEGABYTES how many megabytes of
// Buffers the process holds.

const [, , subject, megabytes] = process.argv;
const { spawn } = require(subject);

const MEGABYTE = 1024 * 1024;
const BEAT_MS = 5;
const SPAWN_MS = 20;

// Filled, because the system allocates memory only when it is written, and a fork takes time only for allocated memory.
const held = Array.from({ length: megabytes / 64 }, () => Buffer.alloc(64 * MEGABYTE, 1));

let started = 0;
let ended = 0;
let failed = 0;

function startOne() {
  started += 1;
  spawn('true', { stdio: 'ignore' }).on('exit', (code) => {
    ended += 1;
    if (code !== 0) failed += 1;
  });
}

process.once('message', () => {
  const beats = setInterval(() => process.send('beat'), BEAT_MS);
  const spawns = setInterval(startOne, SPAWN_MS);
  process.once('message', () => {
    clearInterval(beats);
    clearInterval(spawns);
    // The last programs are still running.
    const waiting = setInterval(() => {
      if (ended < started) return;
      clearInterval(waiting);
      process.send({ started, failed, held: held.length * 64 });
      process.disconnect();
    }, BEAT_MS);
  });
});

process.send('ready');
