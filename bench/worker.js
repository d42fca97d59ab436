'use strict';

// One trial inside one contestant's process: node bench/worker.js <subject> <metrics> <metric> <case> [quick]
// Reports to bench/trial.js with lines that start with MARK; whatever else reaches stdout is ignored.

const fs = require('node:fs');
const subjects = require('./subject');
const { MARK } = require('./report-line');

const [subjectName, metrics, metricName, caseId, quick] = process.argv.slice(2);

// Written with writeSync so that it is out before process.exit, in every runtime.
const report = (value) => fs.writeSync(1, `${MARK}${JSON.stringify(value)}\n`);

async function main() {
  const metric = require(metrics).metrics.find(({ name }) => name === metricName);
  const { options } = metric.cases.find(({ id }) => id === caseId);
  const context = { cp: subjects.load(subjectName), subjectName, quick: quick === 'quick' };
  if (metric.serve) {
    report({ port: await metric.serve(context, options) });
  } else {
    report(await metric.measure(context, options));
    process.exit(0);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
