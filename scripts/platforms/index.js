'use strict';

// `npm run test:platforms`: the addon built for each platform, and tried as far as this machine can. `-- musl arm64`
// for some parts, `-- --quick` without the whole suite. What is needed is fetched once into .cache/platforms/.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { compile, temporaryDirectory } = require('../../__test__/faults/build');
const { run } = require('../peers');
const { build, unitTests } = require('./cross');
const { HOME, Missing, ROOT, glibcNode, muslNode, output, qemu } = require('./tools');

const QUICK = '--quick';
const KERNELS = ['4.18', '5.4', '5.10'];
const AVA = 'node_modules/ava/entrypoints/cli.mjs';
const SMOKE = path.join(__dirname, 'smoke.js');

/** A checkout that has this binary alone. */
function checkoutWith(binary) {
  const tree = path.join(HOME, `checkout-${path.basename(binary)}`);
  fs.rmSync(tree, { recursive: true, force: true });
  for (const file of output('git', ['ls-files'], { cwd: ROOT }).split('\n')) {
    if (fs.existsSync(path.join(ROOT, file))) fs.cpSync(path.join(ROOT, file), path.join(tree, file));
  }
  for (const shared of ['node_modules', '.cache']) fs.symlinkSync(path.join(ROOT, shared), path.join(tree, shared));
  fs.copyFileSync(binary, path.join(tree, path.basename(binary)));
  return tree;
}

function demand(holds, complaint) {
  if (!holds) throw new Error(complaint);
}

function smoke(words, tree) {
  const [file, ...args] = [...words, SMOKE, tree];
  execFileSync(file, args, { stdio: 'inherit', timeout: 120_000 });
}

const isQuick = process.argv.includes(QUICK);

/** The whole suite, by a Node that this command line starts. */
async function suite(words, tree, env = {}) {
  if (isQuick) return;
  const [file, ...args] = [...words, AVA];
  const status = await run(file, args, { cwd: tree, env: { ...process.env, ...env } });
  demand(status === 0, `the suite fails under ${words.join(' ')}`);
}

const PARTS = {
  async musl() {
    const tree = checkoutWith(build('linux-x64-musl'));
    const node = muslNode('x64');
    smoke([node], tree);
    if (!isQuick) unitTests('linux-x64-musl');
    await suite([node], tree);
  },

  async glibc() {
    const binary = build('linux-x64-gnu');
    // The oldest one that Debian still has.
    smoke([await glibcNode('bullseye', 'x64')], checkoutWith(binary));
  },

  async arm64() {
    const emulated = qemu('arm64');
    const gnu = build('linux-arm64-gnu');
    smoke([emulated, await glibcNode('trixie', 'arm64')], checkoutWith(gnu));
    smoke([emulated, muslNode('arm64')], checkoutWith(build('linux-arm64-musl')));
    if (!isQuick) unitTests('linux-arm64-musl', emulated);
  },

  async kernels() {
    demand((await run(process.execPath, ['__test__/faults/kernels.js'])) === 0, 'a kernel of test:kernels fails');
    const sandbox = compile(temporaryDirectory(), 'sandbox');
    for (const version of KERNELS) {
      await suite([sandbox, version, process.execPath], ROOT, { IMITATED_KERNEL: version });
    }
  },
};

async function main() {
  const chosen = process.argv.slice(2).filter((word) => word !== QUICK);
  const unknown = chosen.filter((name) => !(name in PARTS));
  demand(unknown.length === 0, `no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  const results = [];
  for (const name of chosen.length > 0 ? chosen : Object.keys(PARTS)) {
    console.log(`\n── ${name} ──`);
    const began = Date.now();
    let outcome = 'passed';
    try {
      await PARTS[name]();
    } catch (error) {
      outcome = `${error instanceof Missing ? 'skipped' : 'FAILED'}: ${error.message}`;
    }
    results.push(`${name}  ${outcome}  (${Math.round((Date.now() - began) / 1000)} s)`);
  }
  console.log(`\n── Summary ──\n${results.join('\n')}`);
  if (fs.existsSync(HOME)) console.log(`${output('du', ['-sh', HOME])} on disk`);
  if (results.some((result) => result.includes('FAILED'))) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
