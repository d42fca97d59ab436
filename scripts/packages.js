'use strict';

// Lays out what is published, each package in a folder of its own: `node scripts/packages.js OUT BINARY…` writes
// OUT/<name> for the package itself and for each binary, `child-process-rs.<platform>.node`. Prints the folders in the
// order of publishing.

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const pkg = require('../package.json');
const { packageName } = require('../lib/addon/locate');
const { bundle } = require('./bundle');

const ROOT = path.join(__dirname, '..');
const BINARY = /^child-process-rs\.((linux)-(x64|arm64)-(gnu|musl))\.node$/;
const LIBC = { gnu: ['glibc'], musl: ['musl'] };

// What npm needs to say where a package was built; only the workflow that publishes knows.
function repository() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  return server && name ? { repository: { type: 'git', url: `git+${server}/${name}.git` } } : {};
}

function writeJson(file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function platformManifest(file) {
  const [, triple, os, cpu, libc] = BINARY.exec(path.basename(file)) ?? [];
  if (triple === undefined) throw new Error(`${file} is not named child-process-rs.<platform>.node`);
  return {
    name: packageName(triple),
    version: pkg.version,
    description: `The binary of child-process-rs for ${triple}`,
    license: pkg.license,
    ...repository(),
    os: [os],
    cpu: [cpu],
    libc: LIBC[libc],
    engines: pkg.engines,
    main: path.basename(file),
    files: [path.basename(file)],
  };
}

function layOutPlatform(out, file) {
  const manifest = platformManifest(file);
  const folder = path.join(out, manifest.name);
  fs.mkdirSync(folder);
  fs.copyFileSync(file, path.join(folder, manifest.main));
  fs.copyFileSync(path.join(ROOT, 'LICENSE'), path.join(folder, 'LICENSE'));
  fs.writeFileSync(
    path.join(folder, 'README.md'),
    `${manifest.description}. Install child-process-rs, which brings it.\n`,
  );
  writeJson(path.join(folder, 'package.json'), manifest);
  return { name: manifest.name, folder };
}

/** The files that `files` in package.json stands for, as npm understands it. */
function published() {
  const { status, stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error('npm pack failed');
  const packed = JSON.parse(stdout);
  // A list by npm 11, an object by the package's name by npm 12.
  const [{ files }] = Object.values(packed);
  return files.map((file) => file.path);
}

/**
 * package.json without what only a checkout has a use for, and with the platforms' packages, which are not there
 * before.
 */
function manifest(platforms) {
  const { devDependencies, ava, scripts, ...kept } = pkg;
  return {
    ...kept,
    files: [...kept.files.filter((name) => name !== 'packed'), '*.js.map'],
    ...repository(),
    optionalDependencies: Object.fromEntries(platforms.map(({ name }) => [name, pkg.version])),
  };
}

function layOutMain(out, platforms) {
  const folder = path.join(out, pkg.name);
  const isBundled = (file) => file.endsWith('.js') && !file.startsWith('scripts/');
  for (const file of published()) if (!isBundled(file)) fs.cpSync(path.join(ROOT, file), path.join(folder, file));
  bundle(folder);
  writeJson(path.join(folder, 'package.json'), manifest(platforms));
  return { name: pkg.name, folder };
}

/**
 * Writes the packages under `out`, which is emptied, and gives their names and folders: the one that depends on the
 * others comes last.
 */
function layOut(out, binaries) {
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });
  const platforms = binaries.map((file) => layOutPlatform(out, file));
  return [...platforms, layOutMain(out, platforms)];
}

module.exports = { layOut };

if (require.main === module) {
  const [out, ...binaries] = process.argv.slice(2);
  if (out === undefined || binaries.length === 0) {
    console.error('usage: node scripts/packages.js OUT BINARY…');
    process.exitCode = 1;
  } else {
    for (const { folder } of layOut(out, binaries)) console.log(folder);
  }
}
