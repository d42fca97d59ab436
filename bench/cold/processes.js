'use strict';

// Whole processes: from the start of `node program.js` to its end, ours beside the builtin, one after the other.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { stage } = require('../../scripts/staged');
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

/**
 * How much more memory than with the builtin, MB, anonymous and of files: in the program (`role`: parent), or in its
 * child.
 */
function memoryMore(files, role) {
  const held = (subject) => JSON.parse(fs.readFileSync(`${files[`${subject}Memory`]}.${role}`, 'utf8'));
  const [builtin, ours] = [held('builtin'), held('ours')];
  return ours.map((kilobytes, index) => (kilobytes - builtin[index]) / 1024);
}

/** Medians of `rounds` pairs of one program; `ours` is the folder of the package. */
async function measure({ node, rounds, dir, ours }, name) {
  const modules = { builtin: 'node:child_process', ours };
  const files = {};
  for (const [subject, module] of Object.entries(modules)) {
    for (const withMemory of [false, true]) {
      const file = path.join(dir, `${subject}${withMemory ? '-memory' : ''}.js`);
      fs.writeFileSync(file, sourceOf(name, module, withMemory));
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
  for (const subject of Object.keys(modules)) await run(node, files[`${subject}Memory`]);
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
    memory: memoryMore(files, 'parent'),
    childsMemory: name.startsWith('fork') ? memoryMore(files, 'child') : undefined,
  };
}

async function processes(node, rounds, only) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cold-'));
  const rows = [];
  try {
    const ours = stage(dir);
    for (const name of names)
      if (!only || only.includes(name)) rows.push(await measure({ node, rounds, dir, ours }, name));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
  return rows;
}

module.exports = { processes };
