'use strict';

// `npm run test:programs [PROGRAM…]`: libraries that are built on child_process do their work under `register`, in a
// folder of their own. Each program runs with the builtin, too: that one passes shows that the program is right.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '../../..');
const FOLDER = path.join(ROOT, '.cache/programs');
const PROGRAMS = ['cross-spawn.js', 'execa.mjs', 'jest-worker.js', 'tinyexec.mjs', 'zx.mjs'];
const WAYS = { builtin: [], ours: ['-r', path.join(ROOT, 'register.js')] };
const LIMIT_MS = 120_000;

function run(file, args, options) {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: LIMIT_MS, killSignal: 'SIGKILL', ...options }, (error, stdout, stderr) =>
      resolve({ error, output: stdout + stderr }),
    );
  });
}

const sameText = (one, other) =>
  fs.existsSync(other) && fs.readFileSync(one, 'utf8') === fs.readFileSync(other, 'utf8');

/** Installs what the lockfile names, unless that is there already. */
async function install() {
  const installed = path.join(FOLDER, 'installed.json');
  const lockfile = path.join(__dirname, 'package-lock.json');
  fs.mkdirSync(FOLDER, { recursive: true });
  if (!sameText(lockfile, installed)) {
    for (const name of ['package.json', 'package-lock.json'])
      fs.copyFileSync(path.join(__dirname, name), path.join(FOLDER, name));
    const { error, output } = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER });
    if (error) throw new Error(`npm ci failed:\n${output}`);
    fs.copyFileSync(lockfile, installed);
  }
  for (const name of fs.readdirSync(__dirname)) {
    if (/\.m?js$/.test(name)) fs.copyFileSync(path.join(__dirname, name), path.join(FOLDER, name));
  }
}

async function main() {
  const chosen = process.argv.slice(2);
  await install();
  for (const program of chosen.length > 0 ? chosen : PROGRAMS) {
    for (const [way, preloads] of Object.entries(WAYS)) {
      const began = Date.now();
      const env = { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0', EXPECTED: way, OURS: ROOT };
      const { error, output } = await run(process.execPath, [...preloads, '-r', './watch.js', program], {
        cwd: FOLDER,
        env,
      });
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      const subject = way === 'ours' ? 'ours' : 'the builtin';
      const title = `${program} with ${subject} on Node ${process.version} (${seconds} s)`;
      console.log(error ? `  ✘ [fail]: ${title}\n${error.signal ?? error.code}\n${output}` : `  ✔ ${title}`);
      if (error) process.exitCode = 1;
    }
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
