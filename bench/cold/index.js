'use strict';

// npm run bench -- cold: programs that use child_process once, and the first messages to a fresh child.

const { parseArgs } = require('node:util');
const { find } = require('../contestants');
const { describe, lines } = require('../header');
const { number, table } = require('../table');
const { bursts } = require('./bursts');
const { processes } = require('./processes');

const USAGE = `node bench/run.js cold [options]
  --rounds N   pairs of each program (default 21); bursts take a third of it
  --only a,b   only these programs or bursts, by the beginning of their names;
               "processes" or "bursts" for all of one kind
  --node PATH  the Node to bench on`;

function read(argv) {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { rounds: { type: 'string', default: '21' }, only: { type: 'string' }, node: { type: 'string' } },
    });
    return { ...values, rounds: Number(values.rounds), only: values.only?.split(',') };
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

const showMemory = (memory) => (memory ? memory.map((megabytes) => megabytes.toFixed(1)).join(', ') : '');

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
        'memory more, MB',
        'in the child',
      ],
      ...rows.map(({ name, builtin, ours, ratio, noise, cpu, memory, childsMemory }) => [
        name,
        number(builtin),
        number(ours),
        ratio.toFixed(3),
        `±${noise.toFixed(3)}`,
        cpu.toFixed(2),
        showMemory(memory),
        showMemory(childsMemory),
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

async function main(argv) {
  const options = read(argv);
  const suite = { contestants: ['builtin', 'ours', 'bun'], guests: [], needs: 'fork' };
  const { node, nodeVersion, found, absent } = find(options, suite);
  const contestants = found.map((one) => ({ ...one, runtime: one.runtime.filter((arg) => arg !== '--expose-gc') }));
  contestants.push({ name: 'worker', version: `Node ${nodeVersion}`, runtime: [node], subject: 'worker' });
  const note = "worker is worker_threads' postMessage, for orientation: it has no process of its own";
  for (const line of lines(
    describe({ contestants: { node, found: contestants, absent }, rounds: options.rounds, quick: false, note }),
  )) {
    console.log(line);
  }
  const wants = (kind) => !options.only || options.only.includes(kind);
  const names = options.only?.filter((name) => name !== 'processes' && name !== 'bursts');
  const only = names?.length > 0 ? names : undefined;
  if (wants('processes') || only) {
    const rows = await processes(node, options.rounds, only);
    if (rows.length > 0) showProcesses(rows);
  }
  if (wants('bursts') || only) {
    const rows = await bursts(contestants, Math.ceil(options.rounds / 3), only);
    if (rows.length > 0) showBursts(rows, contestants);
  }
}

module.exports = { main };
