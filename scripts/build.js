'use strict';

// Builds the addon with cargo and puts it where lib/addon/native.js looks. `npm run build`, and the last resort of
// install.js.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { root, localBinary, isCheckout } = require('../lib/addon/locate');
const { triple: findTriple } = require('../lib/addon/triple');

const CRATE = 'child_process_rs';
const LIBRARY = /\.(so|dylib)$/;

/** Whether cargo can be started; npm passes on the PATH it was called with. */
function hasCargo() {
  return spawnSync('cargo', ['--version'], { cwd: root, stdio: 'ignore' }).status === 0;
}

// An installed package is built once: the hundred megabytes that make the next build quick must not stay in
// node_modules.
const passingTarget = !isCheckout() && !process.env.CARGO_TARGET_DIR ? path.join(root, 'target') : null;

function cargoEnv(triple) {
  const env = { ...process.env };
  if (passingTarget) env.CARGO_TARGET_DIR = passingTarget;
  // Rust links musl statically unless told otherwise, and a static program cannot be loaded as an addon.
  if (triple.endsWith('-musl')) env.RUSTFLAGS = `${env.RUSTFLAGS ?? ''} -C target-feature=-crt-static`.trim();
  return env;
}

/**
 * What cargo says it has written: true whatever CARGO_TARGET_DIR, CARGO_BUILD_TARGET or a .cargo/config.toml above us
 * say.
 */
function writtenLibrary(messages) {
  const files = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, target }) => reason === 'compiler-artifact' && target.name.replaceAll('-', '_') === CRATE)
    .flatMap(({ filenames }) => filenames);
  return files.find((file) => LIBRARY.test(file));
}

function compile(triple, env) {
  // The published Cargo.lock is part of the package; in a checkout a developer may be changing dependencies.
  const locked = isCheckout() ? [] : ['--locked'];
  const { status, stdout } = spawnSync(
    'cargo',
    ['build', '--release', '--lib', '--message-format=json-render-diagnostics', ...locked],
    // Progress and diagnostics go to stderr, so they are seen as they happen; the messages are for us.
    {
      cwd: root,
      env: { ...cargoEnv(triple), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: Infinity,
    },
  );
  return status === 0 ? writtenLibrary(stdout) : undefined;
}

/** In a checkout the types of the addon are written down, too. */
function compileWithTypes(triple) {
  if (!isCheckout()) return compile(triple);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'child-process-rs-types-'));
  try {
    const library = compile(triple, { NAPI_TYPE_DEF_TMP_FOLDER: folder });
    if (library !== undefined) require('./types').writeTypes(folder);
    return library;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Puts the library in place whole or not at all: a program may be loading the old one at this moment. */
function put(library, binary, builtAt) {
  const temporary = `${binary}.${process.pid}.tmp`;
  try {
    fs.copyFileSync(library, temporary);
    // What is edited while cargo runs must count as newer than the binary.
    fs.utimesSync(temporary, builtAt, builtAt);
    fs.renameSync(temporary, binary);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

/** Builds the binary for `triple`; its path, or undefined where cargo failed and has said why. */
function build(triple) {
  const builtAt = new Date();
  try {
    const library = compileWithTypes(triple);
    if (library === undefined) return undefined;
    const binary = localBinary(triple);
    put(library, binary, builtAt);
    return binary;
  } finally {
    if (passingTarget) fs.rmSync(passingTarget, { recursive: true, force: true });
  }
}

module.exports = { build, hasCargo };

if (require.main === module) {
  const binary = build(findTriple());
  if (binary) console.log(binary);
  else process.exitCode = 1;
}
