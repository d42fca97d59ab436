'use strict';

// Programs and libraries in C that the tests put a process under: `fixtures/NAME.c`, compiled once a test file.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

let folder;

/** Compiles a fixture, with these flags; gives the path of what came of it. */
function compiled(name, ...flags) {
  if (!folder) {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'child-process-rs-compiled-'));
    fs.chmodSync(folder, 0o755);
    process.on('exit', () => fs.rmSync(folder, { recursive: true }));
  }
  const source = path.join(__dirname, '../fixtures', `${name}.c`);
  const output = path.join(folder, name);
  if (!fs.existsSync(output)) execFileSync('cc', ['-O1', '-o', output, source, ...flags]);
  return output;
}

module.exports = { compiled };
