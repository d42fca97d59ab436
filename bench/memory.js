'use strict';

const MB = 2 ** 20;
const PAGE = 4096;
const PIECE = 16 * MB;

// Module scope keeps them reachable for the whole trial.
const kept = [];

/**
 * Makes `megabytes` of Buffers resident, every page touched. Buffers, because V8's own heap is spared by the builtin
 * (nodejs/node #48523 marks it MADV_DONTFORK): only what lies outside it, Buffers and native memory, is paid for at
 * fork.
 */
function occupy(megabytes) {
  for (let left = megabytes * MB; left > 0; left -= PIECE) {
    const buffer = Buffer.alloc(Math.min(PIECE, left));
    for (let i = 0; i < buffer.length; i += PAGE) buffer[i] = 1;
    kept.push(buffer);
  }
  const rss = process.memoryUsage().rss;
  if (rss < megabytes * MB) throw new Error(`only ${rss / MB} MB resident, ${megabytes} wanted`);
}

module.exports = { occupy };
