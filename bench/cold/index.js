'use strict';

// npm run bench -- cold: programs that use child_process once, and the first messages to a fresh child.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { stage } = require('../../scripts/staged');
const { find } = require('../contestants');
const { describe, lines } = require('../header');
const { number, table } = require('../table');
const { bursts } = require('./bursts');
const { processes } = require('./processes');

const USAGE = `node bench/run.js cold [options]
  --rounds N   pairs of each program (default 21); bursts take a third of it
  --only a,b   only these programs or bursts, by the beginning of their names;
               "processes" or "bursts" for all of one kind
  --node PATH  the Node to bench on
  --json FILE  the figures, for the report`;

function read(argv) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        rounds: { type: 'string', default: '21' },
        only: { type: 'string' },
        node: { type: 'string' },
        json: { type: 'string' },
      },
    });
    return { ...values, rounds: Number(values.rounds), only: values.only?.split(',') };
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

const MEMORY = { parent: 'memory more, MB', child: 'in the child' };

/** How much more memory than with the builtin: anonymous, and of files. */
function memoryMore({ builtin, ours }, role) {
  return (ours[role] ?? []).map((megabytes, index) => (megabytes - builtin[role][index]).toFixed(1)).join(', ');
}

function showProcesses(rows) {
  console.log(
    table([
      [
        'whole process',
        'builtin, ms',
        'ours, ms',
        'ours ÷ builtin',
        'builtin ÷ itself',
        'CPU',
        ...Object.values(MEMORY),
      ],
      ...rows.map(({ name, builtin, ours, ratio, noise, cpu, memory }) => [
        name,
        number(builtin),
        number(ours),
        ratio.toFixed(3),
        `±${noise.toFixed(3)}`,
        cpu.toFixed(2),
        ...Object.keys(MEMORY).map((role) => memoryMore(memory, role)),
      ]),
    ]),
  );
  console.log('ours is the package as it is published; memory: anonymous, and of files');
}

function showBursts(rows, contestants) {
  const builtin = contestants.findIndex(({ name }) => name === 'builtin');
  const ours = contestants.findIndex(({ name }) => name === 'ours');
  console.log(
    table([
      ['burst to a fresh child, ms', ...contestants.map(({ name }) => name), 'builtin ÷ ours'],
      ...rows.map(({ name, medians }) => [name, ...medians.map(number), (medians[builtin] / medians[ours]).toFixed(2)]),
    ]),
  );
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

/** The figures as rows of the report. */
function rowsOf(ofProcesses, ofBursts, contestants) {
  const row = (name, unit, medians) => ({ name, unit, better: 'less', medians });
  return [
    ...ofProcesses.map(({ name, builtin, ours }) => row(`cold ${name} wall`, 'ms', { builtin, ours })),
    ...ofProcesses.flatMap(({ name, memory }) =>
      Object.keys(memory.ours).map((role) =>
        row(`cold ${name} memory ${role}`, 'MB', {
          builtin: sum(memory.builtin[role]),
          ours: sum(memory.ours[role]),
        }),
      ),
    ),
    ...ofBursts.map(({ name, medians }) => {
      const known = contestants.flatMap((one, index) =>
        Number.isNaN(medians[index]) ? [] : [[one.name, medians[index]]],
      );
      return row(`burst ${name}`, 'ms', Object.fromEntries(known));
    }),
  ];
}

function contestantsOf(options) {
  const suite = { contestants: ['builtin', 'ours', 'bun'], guests: [], needs: 'fork' };
  const { node, nodeVersion, found, absent } = find(options, suite);
  const contestants = found.map((one) => ({ ...one, runtime: one.runtime.filter((arg) => arg !== '--expose-gc') }));
  contestants.push({ name: 'worker', version: `Node ${nodeVersion}`, runtime: [node], subject: 'worker' });
  return { node, contestants, absent };
}

async function main(argv) {
  const options = read(argv);
  const { node, contestants, absent } = contestantsOf(options);
  const note = "worker is worker_threads' postMessage, for comparison: a thread, not a process";
  const about = describe({
    contestants: { node, found: contestants, absent },
    rounds: options.rounds,
    quick: false,
    note,
  });
  for (const line of lines(about)) console.log(line);
  const wants = (kind) => !options.only || options.only.includes(kind);
  const names = options.only?.filter((name) => name !== 'processes' && name !== 'bursts');
  const only = names?.length > 0 ? names : undefined;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cold-'));
  try {
    const subject = { node, contestants, dir, ours: stage(dir) };
    const ofProcesses = wants('processes') || only ? await processes({ ...subject, rounds: options.rounds }, only) : [];
    if (ofProcesses.length > 0) showProcesses(ofProcesses);
    const ofBursts =
      wants('bursts') || only ? await bursts({ ...subject, rounds: Math.ceil(options.rounds / 3) }, only) : [];
    if (ofBursts.length > 0) showBursts(ofBursts, contestants);
    const rows = rowsOf(ofProcesses, ofBursts, contestants);
    if (options.json) fs.writeFileSync(options.json, JSON.stringify({ about, rows, failures: [] }));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

module.exports = { main };
