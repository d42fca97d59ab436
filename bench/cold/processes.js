'use strict';

// Whole processes: from the start of `node program.js` to its end, ours beside the builtin, one after the other.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { root } = require('../paths');
const { median } = require('../stats');
const { names, sourceOf } = require('./programs');

const MODULES = { builtin: 'node:child_process', ours: path.join(root, 'index.js') };

/** CPU time of a child that has ended, from what the kernel adds up for all that this process has waited for, ms. */
function childrensCpu() {
  const fields = fs.readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ');
  // cutime and cstime (proc(5)), in hundredths of a second.
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

async function run(node, file) {
  const begun = process.hrtime.bigint();
  const child = spawn(node, [file], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  let memory = '';
  child.stdio[3].on('data', (text) => {
    memory += text;
  });
  let wall;
  child.on('exit', () => {
    wall = Number(process.hrtime.bigint() - begun) / 1e6;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
  return { wall, memory: memory && JSON.parse(memory) };
}

/** Medians of `rounds` pairs of one program. */
async function measure(node, name, rounds, dir) {
  const files = {};
  for (const [subject, module] of Object.entries(MODULES)) {
    for (const withMemory of [false, true]) {
      const file = path.join(dir, `${subject}${withMemory ? '-memory' : ''}.js`);
      fs.writeFileSync(file, sourceOf(name, module, withMemory));
      files[`${subject}${withMemory ? 'Memory' : ''}`] = file;
    }
  }
  const samples = { builtin: [], ours: [] };
  const cpu = { builtin: 0, ours: 0 };
  const memory = {};
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 ? ['builtin', 'ours'] : ['ours', 'builtin']) {
      const before = childrensCpu();
      samples[subject].push((await run(node, files[subject])).wall);
      cpu[subject] += childrensCpu() - before;
    }
  }
  for (const subject of Object.keys(MODULES)) memory[subject] = (await run(node, files[`${subject}Memory`])).memory;
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
    anonymous: (memory.ours[0] - memory.builtin[0]) / 1024,
    ofFiles: (memory.ours[1] - memory.builtin[1]) / 1024,
  };
}

async function processes(node, rounds, only) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cold-'));
  const rows = [];
  try {
    for (const name of names) if (!only || only.includes(name)) rows.push(await measure(node, name, rounds, dir));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
  return rows;
}

module.exports = { processes };
