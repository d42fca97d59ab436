'use strict';

// npm run bench -- --report: measures everything and writes docs/benchmarks.md, its charts, and the figures in the
// READMEs.

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { root } = require('../paths');
const { READMES, withFigures } = require('./figures');
const { forget, measureAll } = require('./measure');
const { sections } = require('./parts');
const { render } = require('./render');

const DATA = path.join(root, 'docs/benchmarks.json');

const USAGE = `npm run bench -- --report [options]
  --rounds N   rounds (default 2: about 20 minutes)
  --quick      one round of short trials: shows that everything runs, not how fast
  --fresh      forget what an interrupted report has measured already
  --render     measure nothing: write the document again from docs/benchmarks.json`;

const inRoot = (file) => path.join(root, file);

/** All that the report writes, by file name, made of `data`. */
function documentOf(data) {
  const files = render(data);
  for (const file of READMES) files[file] = withFigures(file, fs.readFileSync(inRoot(file), 'utf8'), data);
  return files;
}

function write(data) {
  fs.rmSync(inRoot('docs/charts'), { recursive: true, force: true });
  fs.mkdirSync(inRoot('docs/charts'));
  for (const [file, text] of Object.entries(documentOf(data))) {
    fs.writeFileSync(inRoot(file), text);
    console.log(file);
  }
}

function readOptions() {
  const flag = { type: 'boolean', default: false };
  try {
    const { values } = parseArgs({
      options: { report: flag, quick: flag, fresh: flag, render: flag, help: flag, rounds: { type: 'string' } },
    });
    const rounds = Number(values.rounds ?? (values.quick ? 1 : 2));
    if (!values.help && Number.isInteger(rounds) && rounds > 0) return { ...values, rounds };
  } catch (error) {
    console.error(error.message);
  }
  console.error(USAGE);
  return undefined;
}

function main() {
  const options = readOptions();
  if (!options) {
    process.exitCode = 2;
    return;
  }
  if (!options.render && !process.version.startsWith('v24.')) {
    console.error(`The report is of Node 24, and this is Node ${process.version}.`);
    process.exitCode = 2;
    return;
  }
  if (!options.render) {
    const data = measureAll(sections, options);
    fs.writeFileSync(DATA, `${JSON.stringify(data, null, 1)}\n`);
  }
  const data = JSON.parse(fs.readFileSync(DATA, 'utf8'));
  write(data);
  if (!options.render) forget();
  for (const failure of data.failures) console.log(`FAILED ${failure}`);
  process.exitCode = data.failures.length > 0 ? 1 : 0;
}

module.exports = { DATA, documentOf, main };
