'use strict';

// Runs one suite from its command line to its report: bench/run.js and bench/ipc.js say what is measured, this says
// how.

const fs = require('node:fs');
const { readArgs } = require('./args');
const { find } = require('./contestants');
const { killAll } = require('./group');
const { describe } = require('./header');
const { report } = require('./report');
const { Results } = require('./results');
const { chosen, schedule } = require('./schedule');
const { trial } = require('./trial');

/** Says what runs now, in place on a terminal and a line each elsewhere. */
function progress(done, total, text) {
  const line = `[${done}/${total}] ${text}`;
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
}

async function runAll(cases, contestants, options) {
  const results = new Results();
  const plan = [...schedule(cases, contestants, options)];
  for (const [i, step] of plan.entries()) {
    const name = `round ${step.round + 1}: ${step.metric.name} ${step.oneCase.id}, ${step.contestant.name}`;
    progress(i + 1, plan.length, name);
    try {
      results.add(step, await trial(step.contestant, step.metric, step.oneCase, options));
    } catch (error) {
      results.failures.push(`${name}: ${error.message}`);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return results;
}

async function main(suite) {
  const args = readArgs(process.argv.slice(2), suite);
  const cases = chosen(require(suite.metrics).metrics, args.only);
  const contestants = find(args, suite);
  const entered = contestants.found.filter(({ name }) => !args.contestants || args.contestants.includes(name));
  process.stderr.write(`bench on ${contestants.node} (${contestants.nodeVersion})\n`);

  const about = describe({ ...args, contestants: { ...contestants, found: entered }, note: suite.note });
  const results = await runAll(cases, entered, { ...args, node: contestants.node, metrics: suite.metrics });
  const rows = results.rows(cases);
  const names = entered.map(({ name }) => name);

  const json = () => JSON.stringify({ about, rows, failures: results.failures }, null, 2);
  if (args.json !== '-') console.log(report({ about, rows, names, failures: results.failures, suite }));
  if (args.json === '-') console.log(json());
  else if (args.json) fs.writeFileSync(args.json, `${json()}\n`);
  process.exitCode = results.failures.length > 0 ? 1 : 0;
}

/**
 * `entry`: what the user called; `metrics`: where they are listed; `contestants`: the names of those who may take part;
 * `guests`: those who take part only where they are named; `needs`: what must be ours for us to take part; `example`:
 * of a single case, for the usage; `note`: for the header; `above` and `below`: what the report says around its table,
 * lines made from the rows and the contestants' names.
 */
function runSuite(suite) {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ]) {
    process.once(signal, () => {
      killAll();
      process.exit(128 + number);
    });
  }
  main(suite).catch((error) => {
    killAll();
    console.error(error.message);
    process.exitCode = 1;
  });
}

module.exports = { runSuite };
