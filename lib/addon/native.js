'use strict';

// The loaded addon and its file; null where the builtin is to be used instead, and why. Where there is no binary, a
// warning says what to do; where there is one that does not load, an error.

// This file and that one keep to a syntax that any Node can read, so that the sentence is reached.
if (Number(process.versions.node.split('.')[0]) < 20) throw new Error(require('./old-node'));

const { existsSync } = require('node:fs');
const { isInContext } = require('../common/clock');
const { version } = require('../../package.json');

// What Node throws at an addon under --permission without --allow-addons, and under --no-addons.
const FORBIDDEN = ['ERR_DLOPEN_DISABLED', 'ERR_ACCESS_DENIED'];

const standIn = (why) => ({ native: null, why });

function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

/** The loader's own words in one short clause: they may name the same file several times, over several lines. */
function reason(error) {
  const glibc = /GLIBC_([\d.]+)' not found/.exec(error.message);
  if (glibc) {
    const here = require('./triple').glibcVersion();
    return `it needs glibc ${glibc[1]}${here ? ` and this system has ${here}` : ''}`;
  }
  return error.message.split('\n')[0].replace(/^.*\.node: /, '');
}

/**
 * The addon in `file`. require() would take as long again as loading it does; but in a context of its own, as jest's,
 * it remembers what other contexts have loaded.
 */
function addonOf(file) {
  if (isInContext) return require(file);
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
}

function open(file, advice) {
  try {
    return { native: addonOf(file), file };
  } catch (error) {
    if (FORBIDDEN.includes(error.code)) {
      return standIn('this Node may not load addons (--no-addons, or --permission without --allow-addons)');
    }
    throw failure('ERR_CHILD_PROCESS_RS_BINARY', `child-process-rs cannot load ${file} (${reason(error)}): ${advice}.`);
  }
}

/**
 * The binary in this package or in one beside it, where there is just one: it was made for this system, or else it
 * does not load.
 */
function nearest() {
  const { platform, arch } = process;
  const files = [];
  const libcs = ['gnu', 'musl'];
  const folders = ['../..', '../../../child-process-rs-'];
  for (let i = 0; i < libcs.length; i++) {
    const triple = `${platform}-${arch}-${libcs[i]}`;
    for (let k = 0; k < folders.length; k++) {
      // Not by path.join(), which goes through it character by character and would take most of the time here.
      const folder = k === 0 ? folders[k] : folders[k] + triple;
      const file = `${__dirname}/${folder}/child-process-rs.${triple}.node`;
      if (existsSync(file)) files[files.length] = file;
    }
  }
  return files.length === 1 ? files[0] : undefined;
}

/** @returns {{ native: typeof import('../../native') | null, file?: string, why?: string }} */
function load() {
  // Both run addons, but neither has the libuv loop that ours hooks into.
  if (process.versions.bun) return standIn('Bun has no libuv loop for it');
  if (process.versions.deno) return standIn('Deno has no libuv loop for it');

  const { CHILD_PROCESS_RS_BINARY: override } = process.env;
  if (override) {
    return open(require('node:path').resolve(override), 'correct or unset CHILD_PROCESS_RS_BINARY, which names it');
  }

  const file = nearest();
  if (file !== undefined) {
    try {
      const native = addonOf(file);
      if (native.version() === version) return { native, file };
    } catch {
      // What is wrong is told below.
    }
  }
  return find();
}

/** Node's own serves, and a warning tells, once, why: it can be switched off by its code (`--disable-warning`). */
function withoutBinary(platform, advice = '') {
  const why = `there is none for ${platform}`;
  if (require('node:worker_threads').isMainThread) {
    const message = `child-process-rs uses Node's own child_process, for it has no binary for ${platform}${advice}.`;
    process.emitWarning(message, { code: 'CHILD_PROCESS_RS_NO_BINARY' });
  }
  return standIn(why);
}

/** Looks at the system first, to name the binary that fits it. */
function find() {
  const { triple: findTriple } = require('./triple');
  const triple = findTriple();
  if (triple === null) return withoutBinary(`${process.platform}-${process.arch}`);
  const { localBinary, packageName, packagedBinary, isCheckout } = require('./locate');

  const local = localBinary(triple);
  const inCheckout = isCheckout();
  const command = inCheckout ? 'npm install' : 'npx child-process-rs build';
  const rebuild = `with a Rust toolchain installed, run \`${command}\` to build one that fits`;
  if (existsSync(local)) return open(local, rebuild);
  const packaged = packagedBinary(triple);
  if (packaged) return open(packaged, rebuild);
  const advice = `: install ${packageName(triple)}@${version}, which holds one, or, ${rebuild}`;
  if (!inCheckout) return withoutBinary(triple, advice);
  // Its tests must not pass with the builtin.
  throw failure('ERR_CHILD_PROCESS_RS_NO_BINARY', `child-process-rs has no binary for ${triple}${advice}.`);
}

module.exports = load();
