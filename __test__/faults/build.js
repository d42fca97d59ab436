'use strict';

// Compiles the programs in C beside this file, which need no more than the C library.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const FLAGS = ['-O1', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE'];

/** A directory for one run, gone when this process ends. Other users read it, too: their processes load the library. */
function temporaryDirectory() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'faults-'));
  fs.chmodSync(directory, 0o755);
  process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The path of `name`.c compiled into `directory`, a library where `flags` say so. */
function compile(directory, name, flags = []) {
  const file = path.join(directory, name);
  execFileSync('cc', [...FLAGS, ...flags, '-o', file, path.join(__dirname, `${name}.c`)], { stdio: 'inherit' });
  return file;
}

const LIBRARY = ['-shared', '-fPIC'];

module.exports = { LIBRARY, compile, temporaryDirectory };
