'use strict';

// The loaded addon and its file; null where the builtin is to be used instead. Where the addon should be there and is not, this
// throws one sentence that says what to do: it is the first thing of ours that a newcomer may see.

// Before anything else is loaded, because an old Node would stop at the syntax of the rest.
if (Number(process.versions.node.split('.')[0]) < 20) {
  throw new Error(`child-process-rs needs Node 20 or newer, and this is Node ${process.versions.node}: please update Node.`);
}

// What Node throws at an addon under --permission without --allow-addons, and under --no-addons.
const FORBIDDEN = ['ERR_DLOPEN_DISABLED', 'ERR_ACCESS_DENIED'];

const NONE = { native: null };

function failure(code, message) {
  const error = new Error(message);
  error.code = code;
  return error;
}

/** The loader's own words in one short clause: they may name the same file several times, over several lines. */
function reason(error) {
  const glibc = /GLIBC_([\d.]+)' not found/.exec(error.message);
  if (glibc) {
    const here = process.report.getReport().header.glibcVersionRuntime;
    return `it needs glibc ${glibc[1]}${here ? ` and this system has ${here}` : ''}`;
  }
  return error.message.split('\n')[0].replace(/^.*\.node: /, '');
}

function open(file, advice) {
  try {
    return { native: require(file), file };
  } catch (error) {
    if (FORBIDDEN.includes(error.code)) return NONE;
    throw failure('ERR_CHILD_PROCESS_RS_BINARY', `child-process-rs cannot load ${file} (${reason(error)}): ${advice}.`);
  }
}

function load() {
  // Both run addons, but neither has the libuv loop that ours hooks into.
  if (process.versions.bun || process.versions.deno) return NONE;

  const { CHILD_PROCESS_RS_BINARY: override } = process.env;
  if (override) {
    return open(require('node:path').resolve(override), 'correct or unset CHILD_PROCESS_RS_BINARY, which names it');
  }

  const triple = require('./triple').triple();
  if (triple === null) return NONE;
  const { localBinary, packagedBinary, isCheckout } = require('./locate');

  const local = localBinary(triple);
  const command = isCheckout() ? 'npm install' : 'npm rebuild child-process-rs';
  const rebuild = `with a Rust toolchain installed, run \`${command}\` to build one that fits`;
  if (require('node:fs').existsSync(local)) return open(local, rebuild);
  const packaged = packagedBinary(triple);
  if (packaged) return open(packaged, rebuild);
  throw failure(
    'ERR_CHILD_PROCESS_RS_NO_BINARY',
    `child-process-rs has no binary for ${triple}: ${rebuild}.`,
  );
}

module.exports = load();
