'use strict';

// Loads the addon. Exports it as `native`, with its `file`; or null, and as `why` the reason for which the builtin is
// used instead. If there is no binary, a warning says what to do; if there is one that cannot be loaded, an error.

// Up to here an old Node can parse this file and `old-node.js`, so that it gets the error.
if (Number(process.versions.node.split('.')[0]) < 20) throw new Error(require('./old-node'));

const { existsSync } = require('node:fs');
const { isInContext } = require('../common/clock');
const { version } = require('../../package.json');

// What Node throws at an addon under --permission without --allow-addons, and under --no-addons.
const FORBIDDEN = ['ERR_DLOPEN_DISABLED', 'ERR_ACCESS_DENIED'];

const useBuiltin = (why) => ({ native: null, why });

function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

/** The loader's error in one short clause: it may have several lines and name the same file several times. */
function reason(error) {
  const glibc = /GLIBC_([\d.]+)' not found/.exec(error.message);
  if (glibc) {
    const here = require('./triple').glibcVersion();
    return `it needs glibc ${glibc[1]}${here ? ` and this system has ${here}` : ''}`;
  }
  return error.message.split('\n')[0].replace(/^.*\.node: /, '');
}

/**
 * The addon in `file`. require() would take twice as long. But in another vm context, such as jest's, it is needed,
 * because it remembers what other contexts have loaded.
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
      return useBuiltin('this Node may not load addons (--no-addons, or --permission without --allow-addons)');
    }
    throw failure('ERR_CHILD_PROCESS_RS_BINARY', `child-process-rs cannot load ${file} (${reason(error)}): ${advice}.`);
  }
}

/**
 * The binary in this package or in an optional package beside it, if there is exactly one; undefined otherwise. If it
 * was not made for this system, it cannot be loaded.
 */
function nearest() {
  const { platform, arch } = process;
  const files = [];
  const libcs = ['gnu', 'musl'];
  const folders = ['../..', '../../../child-process-rs-'];
  for (let i = 0; i < libcs.length; i++) {
    const triple = `${platform}-${arch}-${libcs[i]}`;
    for (let k = 0; k < folders.length; k++) {
      // Without path.join(), which would take most of the time here.
      const folder = k === 0 ? folders[k] : folders[k] + triple;
      const file = `${__dirname}/${folder}/child-process-rs.${triple}.node`;
      if (existsSync(file)) files[files.length] = file;
    }
  }
  return files.length === 1 ? files[0] : undefined;
}

/** @returns {{ native: typeof import('../../native') | null, file?: string, why?: string }} */
function load() {
  // Both run addons, but neither has the libuv loop that ours needs.
  if (process.versions.bun) return useBuiltin('Bun has no libuv loop');
  if (process.versions.deno) return useBuiltin('Deno has no libuv loop');

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
      // find() reports what is wrong.
    }
  }
  return find();
}

/** Uses the builtin, and warns, once. The warning can be switched off by its code (`--disable-warning`). */
function withoutBinary(platform, advice = '') {
  const why = `there is none for ${platform}`;
  if (require('node:worker_threads').isMainThread) {
    const message = `child-process-rs uses Node's own child_process, for it has no binary for ${platform}${advice}.`;
    process.emitWarning(message, { code: 'CHILD_PROCESS_RS_NO_BINARY' });
  }
  return useBuiltin(why);
}

/** Determines the platform first, and loads the binary for it. */
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
  // The tests must not pass with the builtin.
  throw failure('ERR_CHILD_PROCESS_RS_NO_BINARY', `child-process-rs has no binary for ${triple}${advice}.`);
}

module.exports = load();
