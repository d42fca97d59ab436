#!/usr/bin/env node
'use strict';

// `npx child-process-rs build`, and npm's "install" step in a checkout: see that there is a binary that loads, and
// compile only where there is none.

const tooOld = require('../lib/addon/old-node');

if (tooOld) {
  console.error(tooOld);
  process.exit(1);
}

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { root, version, localBinary, packageName, packagedBinary, isCheckout } = require('../lib/addon/locate');
const { triple: findTriple } = require('../lib/addon/triple');
const { build, hasCargo } = require('./build');

const SOURCES = ['src', 'Cargo.toml', 'Cargo.lock', 'build.rs'];

const say = (sentence) => console.error(`child-process-rs: ${sentence}`);

function fail(sentence) {
  say(sentence);
  process.exitCode = 1;
}

/**
 * When anything at or under `file` last changed, in milliseconds. A folder counts too: that is how a deleted file
 * shows.
 */
function changedAt(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...fs.readdirSync(file).map((name) => changedAt(path.join(file, name))));
}

function isNewerThanSources(binary) {
  return fs.statSync(binary).mtimeMs >= Math.max(...SOURCES.map((name) => changedAt(path.join(root, name))));
}

/**
 * Tried in a process of its own: what a binary made for another system does when it is loaded is not for us to survive.
 */
function loads(binary) {
  const program = 'process.dlopen({ exports: {} }, process.argv[1])';
  const env = { ...process.env, NODE_OPTIONS: '' };
  return spawnSync(process.execPath, ['-e', program, binary], { env, stdio: 'ignore' }).status === 0;
}

/** Every binary that loads here, best first. */
function present(triple) {
  const local = localBinary(triple);
  return [fs.existsSync(local) && local, packagedBinary(triple)].filter((binary) => binary && loads(binary));
}

/** Where `npm pack` in a checkout has made the package, the bundled files are in `packed`: they replace the sources. */
function unpack() {
  const packed = path.join(root, 'packed');
  if (isCheckout() || !fs.existsSync(packed)) return;
  fs.cpSync(packed, root, { recursive: true });
  fs.rmSync(packed, { recursive: true });
}

/** Whether compiling would bring nothing new. In a checkout the sources come first, whatever package lies around. */
const spares = (triple) => (binary) => !isCheckout() || (binary === localBinary(triple) && isNewerThanSources(binary));

function install() {
  const triple = findTriple();
  if (triple === null) {
    say(`there is no native build for ${process.platform}-${process.arch}, so the builtin child_process will be used.`);
    return;
  }

  const binaries = present(triple);
  const ready = binaries.find(spares(triple));
  if (ready) {
    say(`${path.basename(ready)} is there, nothing to compile.`);
    return;
  }

  if (!hasCargo()) {
    if (binaries.length > 0) {
      say(`${binaries[0]} is older than the sources and there is no cargo to build a new one, so it stays in use.`);
      return;
    }
    fail(
      `no binary for ${triple} is here and there is no cargo to build one: install ${packageName(triple)}@${version} ` +
        'beside this package, or Rust 1.88 or newer with rustup, then run this again.',
    );
    return;
  }

  say(`building for ${triple} with cargo; the first build takes up to a minute or two.`);
  const built = build(triple);
  if (built === undefined)
    fail('cargo could not build the addon, as it says above; Rust 1.88 or newer and a C linker are needed.');
  else if (!loads(built)) {
    const node = `this Node (${process.version}, ${triple})`;
    fail(`cargo built ${built}, but ${node} cannot load it: is cargo set up for another target?`);
  } else say(`built ${path.basename(built)}.`);
}

if (process.argv[2] === 'build') {
  unpack();
  install();
} else {
  fail('usage: child-process-rs build');
}
