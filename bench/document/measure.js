'use strict';

// Runs the parts of the report one after the other. What is measured is kept in .cache/report/ until the report is
// written, so that one that was interrupted goes on where it was.

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { root, cache } = require('../paths');
const { version } = require('../../package.json');

const FOLDER = path.join(cache, 'report');
const KEY = path.join(FOLDER, 'key.json');

function firstLineOf(file, args) {
  return spawnSync(file, args, { cwd: root, encoding: 'utf8' }).stdout?.trim().split('\n')[0] || undefined;
}

/** What must be the same for kept parts to belong to this report. */
function keyOf({ rounds, quick }) {
  const binary = fs.readdirSync(root).find((name) => name.endsWith('.node'));
  const built = binary && fs.statSync(path.join(root, binary)).mtimeMs;
  return JSON.stringify({ rounds, quick, built, commit: firstLineOf('git', ['rev-parse', 'HEAD']) });
}

function prepare(options) {
  const key = keyOf(options);
  const isSame = fs.existsSync(KEY) && fs.readFileSync(KEY, 'utf8') === key;
  if (options.fresh || !isSame) fs.rmSync(FOLDER, { recursive: true, force: true });
  fs.mkdirSync(FOLDER, { recursive: true });
  fs.writeFileSync(KEY, key);
}

const say = (text) => process.stderr.write(`${text}\n`);

/** The metrics of a part that this checkout has. */
function metricsOf({ entry, command, only }) {
  if (command) return [only];
  const { metrics } = require(entry === 'bench/ipc.js' ? '../channel' : '../metrics');
  return only.split(',').filter((name) => metrics.some((metric) => metric.name === name));
}

function measure(section, { rounds, quick }) {
  const names = metricsOf(section);
  if (names.length === 0) {
    say(`there is no metric ${section.only} here: left out`);
    return undefined;
  }
  const file = path.join(FOLDER, `${section.measuredWith ?? section.id}.json`);
  if (fs.existsSync(file)) {
    say('kept from before');
  } else {
    const draft = `${file}.draft`;
    const args = ['--only', names.join(','), '--json', draft];
    // A cold start has a number of rounds and contestants of its own.
    if (section.command) args.unshift(section.command);
    else args.push('--contestants', section.contestants.join(','), '--rounds', String(rounds));
    if (section.command && quick) args.push('--rounds', '2');
    else if (quick) args.push('--quick');
    const { signal, status } = spawnSync(process.execPath, [path.join(root, section.entry), ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    // 1 is a report with failures in it, which the document will name.
    if (signal || status > 1 || !fs.existsSync(draft))
      throw new Error(`${section.entry} --only ${names.join(',')} ended with ${signal ?? status}`);
    fs.renameSync(draft, file);
  }
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/** Four significant digits: more is noise. */
const rounded = (value) => Number(value.toPrecision(4));

function rowOf({ unit, better, medians }) {
  return {
    unit,
    better,
    medians: Object.fromEntries(Object.entries(medians).map(([who, value]) => [who, rounded(value)])),
  };
}

/** Everything that the document is made of, as plain data. */
function measureAll(sections, options) {
  prepare(options);
  const began = Date.now();
  const data = { about: undefined, rows: {}, failures: [] };
  for (const [i, section] of sections.entries()) {
    say(`── ${i + 1} of ${sections.length}: ${section.title} (${Math.round((Date.now() - began) / 1000)} s so far)`);
    const part = measure(section, options);
    if (!part) continue;
    const { about } = part;
    data.about ??= {
      ...about,
      // The cold start, which has a number of its own, says it in its note.
      rounds: options.rounds,
      version,
      commit: firstLineOf('git', ['rev-parse', '--short', 'HEAD']),
      versions: {},
      absent: [],
    };
    Object.assign(data.about.versions, about.versions);
    for (const one of about.absent) {
      if (section.contestants.includes(one.name) && !data.about.absent.some(({ name }) => name === one.name))
        data.about.absent.push(one);
    }
    for (const row of part.rows) data.rows[row.name] = rowOf(row);
    data.failures.push(...part.failures.map((text) => text.split('\n')[0]));
  }
  delete data.about.node;
  delete data.about.note;
  return data;
}

const forget = () => fs.rmSync(FOLDER, { recursive: true, force: true });

module.exports = { forget, measureAll };
