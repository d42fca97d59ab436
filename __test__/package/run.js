'use strict';

// `npm run test:package`: what would be published, installed and used as its users will. Fetches what that takes, then
// hands its further arguments to ava.

const fs = require('node:fs');
const path = require('node:path');

const { ROOT, bun, deno, install, nodeOf, run } = require('../../scripts/peers');

const AVA = path.join(ROOT, 'node_modules/ava/entrypoints/cli.mjs');
// Two that are too old beside all that are supported.
const MAJORS = ['12', '18', '20', '22', '24', '26'];

function changedAt(file) {
  return fs.statSync(path.join(__dirname, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function main() {
  if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json'))
    await install(['ci'], { cwd: __dirname });
  const nodes = {};
  for (const major of MAJORS) nodes[major] = await nodeOf(major);
  const peers = { nodes, bun: await bun(), deno: await deno() };
  const env = { ...process.env, PACKAGE_TEST_PEERS: JSON.stringify(peers) };
  process.exitCode = await run(process.execPath, [AVA, ...process.argv.slice(2)], { cwd: __dirname, env });
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
