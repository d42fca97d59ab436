'use strict';

// The loaded addon and its file; null where the builtin is to be used instead, and why. Where there is no binary, a
// warning says what to do; where there is one that does not load, an error.

// This file and that one keep to a syntax that any Node can read, so that the sentence is reached.
if (Number(process.versions.node.split('.')[0]) < 20) throw new Error(require('./old-node'));

const { existsSync } = require('node:fs');
const path = require('node:path');

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

function open(file, advice) {
  try {
    return { native: require(file), file };
  } catch (error) {
    if (FORBIDDEN.includes(error.code)) {
      return standIn('this Node may not load addons (--no-addons, or --permission without --allow-addons)');
    }
    throw failure('ERR_CHILD_PROCESS_RS_BINARY', `child-process-rs cannot load ${file} (${reason(error)}): ${advice}.`);
  }
}

/** The binary beside this package, where there is just one: it was made for this system, or else it does not load. */
function besides() {
  const { platform, arch } = process;
  const fileFor = (libc) => path.join(__dirname, `../child-process-rs.${platform}-${arch}-${libc}.node`);
  const files = ['gnu', 'musl'].map(fileFor).filter(existsSync);
  return files.length === 1 ? files[0] : undefined;
}

/** @returns {{ native: typeof import('../native') | null, file?: string, why?: string }} */
function load() {
  // Both run addons, but neither has the libuv loop that ours hooks into.
  if (process.versions.bun) return standIn('Bun has no libuv loop for it');
  if (process.versions.deno) return standIn('Deno has no libuv loop for it');

  const { CHILD_PROCESS_RS_BINARY: override } = process.env;
  if (override) {
    return open(path.resolve(override), 'correct or unset CHILD_PROCESS_RS_BINARY, which names it');
  }

  const file = besides();
  if (file !== undefined) {
    try {
      return { native: require(file), file };
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
  const { localBinary, packageName, packagedBinary, isCheckout, version } = require('./locate');

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
