'use strict';

// Compiles the programs in C beside this file, which need no more than the C library.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const WARNINGS = ['-O1', '-Wall', '-Wextra', '-Werror'];

/** A directory for one run, gone when this process ends. */
function temporaryDirectory() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'faults-'));
  process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The path of `name`.c compiled into `directory`, a library where `flags` say so. */
function compile(directory, name, flags = []) {
  const file = path.join(directory, name);
  execFileSync('cc', [...WARNINGS, ...flags, '-o', file, path.join(__dirname, `${name}.c`)], { stdio: 'inherit' });
  return file;
}

const LIBRARY = ['-shared', '-fPIC'];

module.exports = { LIBRARY, compile, temporaryDirectory };
