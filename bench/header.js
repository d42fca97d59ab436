'use strict';

const fs = require('node:fs');
const os = require('node:os');

function hugePages() {
  try {
    return /\[(\w+)\]/.exec(fs.readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8'))[1];
  } catch {
    return 'unknown';
  }
}

/** What a reader needs to judge the figures by, as plain data; `lines` says it in words. */
function describe({ contestants, rounds, quick, note }) {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    cpu: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    transparentHugePages: hugePages(),
    loadAverage: os.loadavg()[0],
    node: contestants.node,
    versions: Object.fromEntries(contestants.found.map(({ name, version }) => [name, version])),
    absent: contestants.absent,
    rounds,
    quick,
    note,
  };
}

/** The machine, and how busy it was, in words. */
function machine({ cpu, cores, memoryGb, kernel, transparentHugePages, loadAverage }) {
  return (
    `${cpu}, ${cores} cores, ${memoryGb} GB; ${kernel}; ` +
    `transparent huge pages: ${transparentHugePages}; load ${loadAverage.toFixed(1)} at the start`
  );
}

function lines(about) {
  const versions = Object.entries(about.versions)
    .map(([name, version]) => `${name} = ${version}`)
    .join(', ');
  const quick = about.quick ? ' of --quick trials: not figures to compare' : '';
  return [
    machine(about),
    `${versions} (${about.node})`,
    ...about.absent.map(({ name, why }) => `${name} does not take part: ${why}`),
    `medians over ${about.rounds} round${about.rounds === 1 ? '' : 's'}${quick}; ` +
      'every trial a fresh process, contestants interleaved',
    about.note,
  ];
}

module.exports = { describe, lines, machine };
