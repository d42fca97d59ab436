'use strict';

// `npm run test:consumers [RUNNER…]`: the package as it would be published, used from each test runner, once as it is
// and once with `register` in every process of the runner; `peers` stands for what the promises are compared with.
// Copied out of the checkout first, so that nothing else is found.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { install, nodeOf } = require('../../scripts/peers');
const { MAIN, PLATFORM, stage } = require('../package/helpers/staged');
const { compare } = require('./peers/compare');

const RUNNERS = ['node-test', 'mocha', 'ava', 'vitest', 'jest'];
const PEERS = 'peers';
const NODE = process.env.CONSUMERS_NODE ?? '24';
const LIMIT_MS = 300_000;

// As npm would put them; npm itself would ask for the platforms that are not published yet.
async function unpack(project, { tarball }, name) {
  const dir = path.join(project, 'node_modules', name);
  fs.mkdirSync(dir);
  await new Promise((resolve, reject) =>
    execFile('tar', ['-xzf', tarball, '--strip-components=1', '-C', dir], (error) =>
      error ? reject(error) : resolve(),
    ),
  );
}

function runScript(node, cwd, env) {
  const { test } = JSON.parse(fs.readFileSync(path.join(cwd, 'package.json'), 'utf8')).scripts;
  const PATH = [path.dirname(node), path.join(cwd, '../node_modules/.bin'), process.env.PATH].join(path.delimiter);
  return new Promise((resolve) => {
    const options = {
      cwd,
      env: { ...process.env, ...env, PATH, CI: 'true', FORCE_COLOR: '0' },
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 26,
    };
    execFile('sh', ['-c', test], options, (error, stdout, stderr) => resolve({ error, output: stdout + stderr }));
  });
}

async function main() {
  const chosen = process.argv.slice(2);
  const runners = chosen.length > 0 ? chosen.filter((name) => name !== PEERS) : RUNNERS;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'consumers-'));
  try {
    const node = await nodeOf(NODE);
    const project = path.join(dir, 'project');
    fs.cpSync(__dirname, project, { recursive: true, filter: (file) => path.basename(file) !== 'node_modules' });
    await install(['ci', '--ignore-scripts'], { cwd: project });
    const staged = await stage(dir);
    for (const name of [MAIN, PLATFORM]) await unpack(project, staged[name], name);

    const register = path.join(project, 'node_modules', MAIN, 'register.js');
    const ways = { required: {}, registered: { NODE_OPTIONS: `-r ${register}`, REGISTERED: 'yes' } };
    for (const runner of runners) {
      for (const [way, env] of Object.entries(ways)) {
        const began = Date.now();
        const { error, output } = await runScript(node, path.join(project, runner), env);
        const title = `${runner} on Node ${NODE}, ${way} (${((Date.now() - began) / 1000).toFixed(1)} s)`;
        console.log(error ? `  ✘ [fail]: ${title}\n${output}` : `  ✔ ${title}`);
        if (error) process.exitCode = 1;
      }
    }
    if (chosen.length === 0 || chosen.includes(PEERS)) {
      if (!(await compare({ node, project }))) process.exitCode = 1;
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
