'use strict';

// Whole processes: from the start of `node program.js` to its end, ours beside the builtin, one after the other.

const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { median } = require('../stats');
const { names, sourceOf } = require('./programs');

/** CPU time of a child that has ended, from what the kernel adds up for all that this process has waited for, ms. */
function childrensCpu() {
  const fields = fs.readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ');
  // cutime and cstime (proc(5)), in hundredths of a second.
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

async function run(node, file) {
  const begun = process.hrtime.bigint();
  const child = spawn(node, [file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

/** The memory, MB, anonymous and of files, of the program (`role`: parent), or of its child. */
function memoryOf(file, role) {
  return JSON.parse(fs.readFileSync(`${file}.${role}`, 'utf8')).map((kilobytes) => kilobytes / 1024);
}

/** Medians of `rounds` pairs of one program; `ours` is the folder of the package. */
async function measure({ node, rounds, dir, ours }, name) {
  const modules = { builtin: 'node:child_process', ours };
  const files = {};
  for (const [subject, module] of Object.entries(modules)) {
    for (const withMemory of [false, true]) {
      const file = path.join(dir, `${subject}${withMemory ? '-memory' : ''}.js`);
      fs.writeFileSync(file, sourceOf(name, { subject, module, measuresMemory: withMemory }));
      files[`${subject}${withMemory ? 'Memory' : ''}`] = file;
    }
  }
  const samples = { builtin: [], ours: [] };
  const cpu = { builtin: 0, ours: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 ? ['builtin', 'ours'] : ['ours', 'builtin']) {
      const before = childrensCpu();
      samples[subject].push(await run(node, files[subject]));
      cpu[subject] += childrensCpu() - before;
    }
  }
  const memory = {};
  for (const subject of Object.keys(modules)) {
    const file = files[`${subject}Memory`];
    await run(node, file);
    memory[subject] = { parent: memoryOf(file, 'parent') };
    if (name.startsWith('fork')) memory[subject].child = memoryOf(file, 'child');
  }
  const ratios = samples.ours.map((wall, index) => wall / samples.builtin[index]);
  // How much the builtin differs from itself: the rounds of one half beside those of the other.
  const half = (parity) => median(samples.builtin.filter((_, index) => index % 2 === parity));
  return {
    name,
    builtin: median(samples.builtin),
    ours: median(samples.ours),
    ratio: median(ratios),
    noise: Math.abs(half(0) / half(1) - 1),
    cpu: cpu.ours / cpu.builtin,
    memory,
  };
}

/** `dir`: where the programs may be written; `ours`: the folder of the package. */
async function processes({ node, rounds, dir, ours }, only) {
  const rows = [];
  for (const name of names) {
    if (!only || only.includes(name)) rows.push(await measure({ node, rounds, dir, ours }, name));
  }
  return rows;
}

module.exports = { processes };
