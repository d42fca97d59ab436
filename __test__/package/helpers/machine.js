'use strict';

// A machine of a newcomer: an empty folder, a PATH with a Node and a few tools and nothing else, an npm with an empty
// cache.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const TOOLS = ['sh', 'echo', 'cat', 'sleep', 'true', 'false', 'tr', 'wc', 'uname'];

function which(name) {
  return process.env.PATH.split(path.delimiter)
    .map((dir) => path.join(dir, name))
    .find((file) => fs.existsSync(file));
}

// Installs are what takes long here; more than a few at once only get in each other's way.
const AT_ONCE = 3;
let running = 0;
const waiting = [];

async function withSlot(job) {
  if (running === AT_ONCE) await new Promise((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await job();
  } finally {
    if (waiting.length > 0) waiting.shift()();
    else running -= 1;
  }
}

const npmCli = fs.realpathSync(which('npm'));
const yarnCli = require.resolve('yarn/bin/yarn.js');
const yarnBerryCli = require.resolve('@yarnpkg/cli-dist/bin/yarn.js');
const pnpmCli = path.join(__dirname, '../node_modules/pnpm/bin/pnpm.cjs');

function run(file, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: signal ?? code, output }));
  });
}

class Machine {
  /**
   * `cargo`: none, a 'fake' that leaves a mark when it is called, or the 'real' one with all that is on the PATH of
   * this process.
   */
  constructor({ node, cargo = 'none', registry }) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'machine-'));
    this.project = path.join(this.dir, 'project');
    this.node = node;
    this.registry = registry;
    const bin = path.join(this.dir, 'bin');
    for (const dir of [this.project, bin]) fs.mkdirSync(dir);
    for (const tool of TOOLS) fs.symlinkSync(which(tool), path.join(bin, tool));
    fs.symlinkSync(node, path.join(bin, 'node'));
    this.mark = path.join(this.dir, 'cargo-was-called');
    if (cargo === 'fake')
      fs.writeFileSync(path.join(bin, 'cargo'), `#!/bin/sh\necho "$@" >> ${this.mark}\nexit 1\n`, { mode: 0o755 });
    const PATH = cargo === 'real' ? `${bin}${path.delimiter}${process.env.PATH}` : bin;
    this.env = { PATH, HOME: this.dir, TMPDIR: os.tmpdir(), LANG: 'C.UTF-8' };
    if (cargo === 'real') this.env.HOME = os.homedir();
    fs.writeFileSync(path.join(this.project, 'package.json'), '{ "private": true }\n');
  }

  get cargoWasCalled() {
    return fs.existsSync(this.mark);
  }

  npm(...args) {
    const settings = [
      '--registry',
      this.registry,
      '--noproxy',
      '127.0.0.1',
      '--cache',
      path.join(this.dir, 'cache'),
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--fetch-retries=0',
    ];
    return withSlot(() => this.run(npmCli, ...args, ...settings));
  }

  /** Installs with one of the package managers beside npm; `args`: the package's name, and options of theirs. */
  add(manager, ...args) {
    return withSlot(() => this[manager](args));
  }

  pnpm(args) {
    const settings = ['--registry', this.registry, '--store-dir', path.join(this.dir, 'store')];
    return this.run(pnpmCli, 'add', ...args, ...settings);
  }

  yarn(args) {
    const settings = ['--registry', this.registry, '--cache-folder', path.join(this.dir, 'cache')];
    return this.run(yarnCli, 'add', ...args, ...settings);
  }

  /** Yarn 4, which installs for Plug'n'Play: without node_modules. */
  yarnBerry(args) {
    const env = {
      ...this.env,
      YARN_NPM_REGISTRY_SERVER: this.registry,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      YARN_GLOBAL_FOLDER: path.join(this.dir, 'yarn'),
      YARN_ENABLE_TELEMETRY: '0',
      // Takes versions that were published less than a day ago.
      YARN_NPM_MINIMAL_AGE_GATE: '0',
    };
    this.write('yarn.lock', '');
    return run(this.node, [yarnBerryCli, 'add', ...args], { cwd: this.project, env });
  }

  /** `npx child-process-rs build`. */
  build() {
    return this.run(path.join(this.project, 'node_modules/.bin/child-process-rs'), 'build');
  }

  /** Runs a script by this machine's Node; relative paths are the project's. */
  run(...args) {
    return run(this.node, args, { cwd: this.project, env: this.env });
  }

  runBy(binary, ...args) {
    return run(binary, args, { cwd: this.project, env: this.env });
  }

  write(name, text) {
    const file = path.join(this.project, name);
    fs.writeFileSync(file, text);
    return file;
  }

  installed(name) {
    return path.join(this.project, 'node_modules', name);
  }

  installedPackages() {
    return fs
      .readdirSync(this.installed('.'))
      .filter((name) => !name.startsWith('.'))
      .sort();
  }

  remove() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

module.exports = { Machine };
