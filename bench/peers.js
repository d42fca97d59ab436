'use strict';

// Fetches what the benchmark compares us with into .cache/ and builds the Rust limit programs.
// Each step stands alone: one that fails is reported and the others still happen.

const fs = require('node:fs');
const { spawnSync } = require('node:child_process');
const { peers, limit } = require('./paths');

function run(file, args) {
  console.log(`$ ${file} ${args.join(' ')}`);
  const { status, error } = spawnSync(file, args, { stdio: 'inherit' });
  return error === undefined && status === 0;
}

function fetchPeer({ packageName, prefix, binary }) {
  if (fs.existsSync(binary)) return true;
  fs.mkdirSync(prefix, { recursive: true });
  // The packages' own install scripts only link binaries that we call by path, so they are not run.
  return (
    run('npm', [
      'install',
      '--ignore-scripts',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--prefix',
      prefix,
      packageName,
    ]) && fs.existsSync(binary)
  );
}

function buildLimit() {
  return run('cargo', [
    'build',
    '--release',
    '--locked',
    '--manifest-path',
    limit.manifest,
    '--target-dir',
    limit.target,
  ]);
}

const results = Object.entries(peers).map(([name, peer]) => [name, fetchPeer(peer), peer.binary]);
results.push(['limit', buildLimit(), limit.binary]);

for (const [name, ok, binary] of results) console.log(`${name.padEnd(6)} ${ok ? binary : 'failed'}`);
process.exitCode = results.every(([, ok]) => ok) ? 0 : 1;
