'use strict';

// `npm run demo`: real programs, and what running them costs. Ends with exit code 0 where everything went as it should.

const { once } = require('node:events');
const builtin = require('node:child_process');
const ours = require('../index.js');
const { run, pipe } = require('./demo/processes');
const { compare } = require('./demo/storm');
const { bold, dim, milliseconds, heading, lines, verdict } = require('./demo/print');

const MEGABYTE = 1024 * 1024;
const RESIDENT_MB = 512;
const COUNT = 100;
const ROUNDS = 3;

async function showPipeline() {
  heading('A pipeline of six real programs: which letters do the commands in /usr/bin begin with?');
  const commands = [['ls', '/usr/bin'], ['cut', '-c1'], ['sort'], ['uniq', '-c'], ['sort', '-rn'], ['head', '-5']];
  console.log(dim(`  $ ${commands.map((command) => command.join(' ')).join(' | ')}`));
  const { output, pids } = await pipe(commands);
  lines(output);
  verdict(output.trim().split('\n').length === 5, `processes ${pids.join(', ')}`);
}

async function showFailure() {
  heading('A command that fails');
  console.log(dim('  $ ls /no/such/folder'));
  const { code, stderr } = await run('ls', ['/no/such/folder']);
  lines(stderr);
  verdict(code !== 0, `'close' with exit code ${code}`);
}

async function showMissing() {
  heading('A command that does not exist');
  console.log(dim('  $ no-such-command'));
  const child = ours.spawn('no-such-command', ['--please']);
  const [error] = await once(child, 'error');
  verdict(
    error.code === 'ENOENT' && child.pid === undefined,
    `'error' with ${error.message} (${error.errno}, ${error.syscall})`,
  );
}

async function showKilled() {
  heading('A process that is killed by a signal');
  console.log(dim('  $ sleep 60'));
  const child = ours.spawn('sleep', ['60']);
  await once(child, 'spawn');
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  verdict(signal === 'SIGTERM' && child.killed, `'exit' with code ${code} and signal ${signal}`);
}

function table(results) {
  const row = (label, ...cells) =>
    console.log(`  ${label.padEnd(36)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  row('', 'builtin', 'ours', 'ratio');
  for (const [label, key] of [
    [`inside ${COUNT} calls of spawn()`, 'calls'],
    ['longest stall of the event loop', 'stall'],
    ['until all have closed', 'finished'],
  ]) {
    const [theirs, mine] = [results.builtin[key], results.ours[key]];
    row(label, milliseconds(theirs), milliseconds(mine), bold(`${(theirs / mine).toFixed(1)}×`.padStart(12)));
  }
}

async function showStorm() {
  heading(`${COUNT} processes at once, with ${RESIDENT_MB} MB of Buffers in memory`);
  // Filled, because memory that was never written is not there: fork() pays for what is.
  const resident = Array.from({ length: RESIDENT_MB / 64 }, () => Buffer.alloc(64 * MEGABYTE, 1));
  const turns = process.stdout.isTTY ? () => process.stdout.write(dim('.')) : undefined;
  const size = `${(process.memoryUsage.rss() / MEGABYTE).toFixed(0)} MB resident`;
  console.log(dim(`  echo process 0 … ${COUNT - 1}, ${ROUNDS} rounds each by turns, medians; ${size}`));
  if (turns) process.stdout.write('  ');
  const results = await compare(
    { builtin: builtin.spawn, ours: ours.spawn },
    { count: COUNT, rounds: ROUNDS, onRound: turns },
  );
  if (turns) process.stdout.write('\r\x1b[2K');
  table(results);
  verdict(results.ours.correct && results.builtin.correct && resident.length > 0, 'every process said its own number');
}

async function main() {
  console.log(`child-process-rs ${ours.version} on Node ${process.version}, ${process.platform}-${process.arch}`);
  if (!ours.isNative) console.log('No native build serves this platform: what follows is the builtin on both sides.');
  const began = Date.now();
  for (const show of [showPipeline, showFailure, showMissing, showKilled, showStorm]) await show();
  console.log(dim(`\n${((Date.now() - began) / 1000).toFixed(1)} s`));
}

main();
