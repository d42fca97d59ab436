'use strict';

// `npm run demo`: runs real programs and compares timings with the builtin. The exit code is 0 if everything worked.

const { once } = require('node:events');
const builtin = require('node:child_process');
const ours = require('../index.js');
const { showLoops } = require('./demo/loops');
const { squares } = require('./demo/messages');
const { pipe } = require('./demo/processes');
const { dim, heading, lines, milliseconds, verdict } = require('./demo/print');

const RESIDENT_MB = 512;
const MESSAGES = 100_000;

async function showEventLoop() {
  heading(`The event loop of a server that holds ${RESIDENT_MB} MB and starts a program every 20 ms`);
  verdict(await showLoops(RESIDENT_MB), 'every program ended with exit code 0');
}

async function showPipeline() {
  heading('A pipeline of six programs: which letters do the commands in /usr/bin begin with?');
  const commands = [['ls', '/usr/bin'], ['cut', '-c1'], ['sort'], ['uniq', '-c'], ['sort', '-rn'], ['head', '-5']];
  console.log(dim(`  $ ${commands.map((command) => command.join(' ')).join(' | ')}`));
  const { output, pids } = await pipe(commands);
  lines(output);
  verdict(output.trim().split('\n').length === 5, `processes ${pids.join(', ')}`);
}

async function showPromises() {
  heading('Commands as promises, at the same time');
  const { $ } = require('../promises');
  const name = "it's; rm -rf ~";
  console.log(dim('  $`uname -s`   $`date +%Y`   $`echo ${name}`'));
  const results = await Promise.all([$`uname -s`, $`date +%Y`, $`echo ${name}`]);
  lines(results.map(({ stdout }) => stdout.trim()).join('\n'));
  verdict(results[2].stdout.trim() === name, 'an interpolated value is one argument, whatever it contains');
}

async function showMessages() {
  heading(`${MESSAGES.toLocaleString('en')} messages to a forked worker, and its answers`);
  const results = { builtin: await squares(builtin.fork, MESSAGES), ours: await squares(ours.fork, MESSAGES) };
  console.log(`  builtin           ${milliseconds(results.builtin.milliseconds)}`);
  console.log(`  child-process-rs  ${milliseconds(results.ours.milliseconds)}`);
  verdict(results.ours.sum === results.builtin.sum, `the sum of all answers is ${results.ours.sum}`);
}

async function showErrors() {
  heading('Errors are reported as Node reports them');
  const missing = ours.spawn('no-such-command', ['--please']);
  const [error] = await once(missing, 'error');
  verdict(error.code === 'ENOENT' && missing.pid === undefined, `a command that does not exist: ${error.message}`);
  const child = ours.spawn('sleep', ['60']);
  await once(child, 'spawn');
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  verdict(signal === 'SIGTERM' && child.killed, `a process that is killed: exit code ${code}, signal ${signal}`);
}

async function main() {
  console.log(`child-process-rs ${ours.version} on Node ${process.version}, ${process.platform}-${process.arch}`);
  const parts = [showEventLoop, showPipeline, showPromises, showMessages, showErrors];
  if (!ours.isNative) {
    console.log('There is no binary for this platform: both sides of the comparisons are the builtin.');
  }
  // If Node exits because nothing is left to wait for, the demo has failed.
  let isComplete = false;
  process.on('exit', () => {
    if (!isComplete) process.exitCode = 1;
  });
  const began = Date.now();
  for (const show of parts) await show();
  isComplete = true;
  heading('What to read next');
  lines(
    'README.md            use it in your program\ndocs/benchmarks.md   all figures\ndocs/migrating.md    from execa',
  );
  console.log(dim(`\n${((Date.now() - began) / 1000).toFixed(1)} s`));
}

main();
