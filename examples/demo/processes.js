'use strict';

// The smallest useful things to do with `spawn`: read all that a process says, and join several into a pipeline.

const { once } = require('node:events');
const { pipeline } = require('node:stream');
const { text } = require('node:stream/consumers');
const { spawn } = require('../../index.js');

/** Runs a program to its end: what it wrote, and how it ended. Rejects where it could not be started. */
async function run(file, args) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, code, signal };
}

/** Runs programs as a shell runs `a | b | c`, without a shell; resolves to what the last one wrote. */
async function pipe(commands) {
  const children = commands.map(([file, ...args], i) =>
    spawn(file, args, { stdio: [i === 0 ? 'ignore' : 'pipe', 'pipe', 'inherit'] }),
  );
  for (const [i, child] of children.slice(1).entries()) {
    // A program may stop reading before its neighbour has said all (`head`): that ends the neighbour, it is no failure.
    pipeline(children[i].stdout, child.stdin, () => {});
  }
  const [output] = await Promise.all([text(children.at(-1).stdout), ...children.map((child) => once(child, 'close'))]);
  return { output, pids: children.map(({ pid }) => pid) };
}

module.exports = { run, pipe };
