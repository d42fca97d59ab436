'use strict';

// The packages as they would be published, made from this checkout and its binary, as tarballs.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const { localBinary } = require('../../../lib/addon/locate');
const { triple } = require('../../../lib/addon/triple');
const { layOut } = require('../../../scripts/packages');

const MAIN = 'child-process-rs';
const TRIPLE = triple();
const PLATFORM = `${MAIN}-${TRIPLE}`;
const TRIPLES = ['linux-x64-gnu', 'linux-x64-musl', 'linux-arm64-gnu', 'linux-arm64-musl'];

async function pack(folder, out) {
  const { stdout } = await promisify(execFile)('npm', [
    'pack',
    folder,
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    out,
  ]);
  const [{ filename }] = Object.values(JSON.parse(stdout));
  return path.join(out, filename);
}

// What is not of this machine is there to be left alone.
function binaries(dir) {
  return TRIPLES.map((name) => {
    if (name === TRIPLE) return localBinary(name);
    const file = path.join(dir, `${MAIN}.${name}.node`);
    fs.writeFileSync(file, 'made elsewhere');
    return file;
  });
}

/** Lays the packages out under `dir`: by name the folder, the tarball and the manifest of each. */
async function stage(dir) {
  const tarballs = path.join(dir, 'tarballs');
  fs.mkdirSync(tarballs);
  const staged = {};
  for (const { name, folder } of layOut(path.join(dir, 'packages'), binaries(dir))) {
    const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    staged[name] = { folder, manifest, tarball: await pack(folder, tarballs) };
  }
  return staged;
}

module.exports = { MAIN, PLATFORM, TRIPLES, stage };
