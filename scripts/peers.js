'use strict';

// Other programs to test with, each a package on npm that holds a binary: kept in .cache/ and fetched once.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { cache, peers } = require('../bench/paths');

const ROOT = path.resolve(__dirname, '..');
const TRIES = 3;

const majorOf = (version) => version.replace(/^v/, '').split('.')[0];

/** Runs a program to its end, its output with ours; its exit code. */
function run(file, args, options) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: 'inherit', ...options });
    child.on('error', (error) => {
      console.error(String(error));
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/**
 * npm with `args`, and again where it failed: a network may have its moments. What is in npm's cache is not asked for.
 */
async function install(args, options) {
  for (let i = 0; i < TRIES; i++) {
    if ((await run('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund'], options)) === 0) return;
  }
  throw new Error(`npm ${args.join(' ')} failed ${TRIES} times`);
}

/** `flags`: for npm, where the package is one for another platform. */
async function fetchBinary({ packageName, prefix, binary, flags = [] }) {
  if (fs.existsSync(binary)) return binary;
  console.log(`Fetching ${packageName} …`);
  fs.mkdirSync(prefix, { recursive: true });
  // Their own install scripts only link binaries that are called by path here.
  await install(['install', '--ignore-scripts', '--no-save', '--prefix', prefix, ...flags, packageName]);
  if (!fs.existsSync(binary)) throw new Error(`${packageName} could not be fetched from npm`);
  return binary;
}

/** The Node of a major version: the one at hand where it serves. */
async function nodeOf(major) {
  if (majorOf(process.version) === major) return process.execPath;
  const name = `node-linux-${process.arch}`;
  const prefix = path.join(cache, `node-${major}`);
  return fetchBinary({
    packageName: `${name}@${major}`,
    prefix,
    binary: path.join(prefix, 'node_modules', name, 'bin/node'),
  });
}

const bun = () => fetchBinary(peers.bun);
const deno = () => fetchBinary(peers.deno);

module.exports = { ROOT, bun, deno, fetchBinary, install, nodeOf, run };
