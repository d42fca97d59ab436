'use strict';

// A pipeline of programs, with `spawn` and Node's streams.

const { once } = require('node:events');
const { pipeline } = require('node:stream');
const { text } = require('node:stream/consumers');
const { spawn } = require('../../index.js');

/** Runs programs as a shell runs `a | b | c`, without a shell; resolves to what the last one wrote. */
async function pipe(commands) {
  const children = commands.map(([file, ...args], i) =>
    spawn(file, args, { stdio: [i === 0 ? 'ignore' : 'pipe', 'pipe', 'inherit'] }),
  );
  for (const [i, child] of children.slice(1).entries()) {
    // A program such as `head` may end before it has read everything. This also ends the program before it, and is no
    // error.
    pipeline(children[i].stdout, child.stdin, () => {});
  }
  const [output] = await Promise.all([text(children.at(-1).stdout), ...children.map((child) => once(child, 'close'))]);
  return { output, pids: children.map(({ pid }) => pid) };
}

module.exports = { pipe };
