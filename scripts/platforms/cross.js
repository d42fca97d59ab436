'use strict';

// The addon for any of the platforms, with zig as the linker and the C library: `node scripts/platforms/cross.js
// linux-x64-musl` writes child-process-rs.linux-x64-musl.node beside index.js. Needs Rust's standard library for the
// target, or its sources.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { ROOT, output, pythonTools, standardLibrary } = require('./tools');

/** The oldest glibc that Node itself runs on. */
const GLIBC = '2.28';

// It starts itself, and the kernel does not know the emulator.
const NOT_EMULATED = 'descriptors_that_fit_into_a_full_table_in_part_are_closed_too';

const TARGETS = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
};

/** What cargo is called with. */
function settings(triple) {
  const target = TARGETS[triple];
  if (!target) throw new Error(`no such platform: ${triple}; there are ${Object.keys(TARGETS).join(', ')}`);
  const { bin, zig } = pythonTools();
  const env = { ...process.env, CARGO_ZIGBUILD_ZIG_PATH: zig, PATH: `${bin}:${process.env.PATH}` };
  const isMusl = triple.endsWith('-musl');
  // Rust links musl statically unless told otherwise, and a static program cannot be loaded as an addon.
  if (isMusl) env.RUSTFLAGS = '-C target-feature=-crt-static';
  const args = ['--target', isMusl ? target : `${target}.${GLIBC}`];
  const library = standardLibrary(target);
  if (library !== undefined) {
    Object.assign(env, { RUSTC_BOOTSTRAP: '1', __CARGO_TESTS_ONLY_SRC_ROOT: library });
    args.push('-Z', 'build-std=std,panic_unwind');
  }
  return { target, env, args };
}

const minorOf = (version) => Number(version.split('.')[1]);

/** Fails where a binary asks for too new a glibc. */
function checkGlibc(binary) {
  const symbols = output('objdump', ['-T', binary], { maxBuffer: Infinity });
  const newest = Math.max(...[...symbols.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor)));
  console.log(`${path.basename(binary)} needs glibc 2.${newest}`);
  if (newest > minorOf(GLIBC)) throw new Error(`it may need ${GLIBC} at most`);
}

/** Builds the addon; the path of the binary, in a folder of its own. */
function build(triple) {
  const { target, env, args } = settings(triple);
  execFileSync('cargo', ['zigbuild', '--locked', '--release', '--lib', ...args], { cwd: ROOT, env, stdio: 'inherit' });
  const built = path.join(ROOT, 'target', target, 'release/libchild_process_rs.so');
  const binary = path.join(ROOT, 'target', target, `child-process-rs.${triple}.node`);
  fs.copyFileSync(built, binary);
  if (triple.endsWith('-gnu')) checkGlibc(binary);
  return binary;
}

/** Runs the unit tests, which zig links statically for musl; `runner`: what emulates the platform, if anything. */
function unitTests(triple, runner) {
  const { target, env, args } = settings(triple);
  if (runner) env[`CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}_RUNNER`] = runner;
  const skipped = runner ? ['--', '--skip', NOT_EMULATED] : [];
  const words = ['test', '--locked', '--lib', '--tests', ...args, ...skipped];
  execFileSync('cargo-zigbuild', words, { cwd: ROOT, env, stdio: 'inherit' });
}

module.exports = { build, unitTests };

if (require.main === module) {
  for (const triple of process.argv.slice(2)) {
    const binary = build(triple);
    fs.copyFileSync(binary, path.join(ROOT, path.basename(binary)));
  }
}
