'use strict';

// One side of the comparison: `node runner.js <topic file> <who is at the ends, as JSON> <dir> <scenario names as
// JSON>`. Runs the scenarios one after another, each with a log and an empty directory of its own, and writes one JSON
// line for each to descriptor 3.

const fs = require('node:fs');
const path = require('node:path');

const { Context } = require('./context');
const { leftovers, snapshot } = require('./leftovers');
const { withChildEnd } = require('./pairings');

const SCENARIO_MS = Number(process.env.PARITY_SCENARIO_MS ?? 120_000);

const [topic, ends, dir, names] = process.argv.slice(2);
const { subject, childEnd, serialization } = JSON.parse(ends);
const scenarios = require(topic);
const cp = withChildEnd(require(subject), childEnd);

let current = null;
process.on('warning', ({ name, code, message }) => current?.log('warning', { name, code, message }));
process.on('uncaughtException', (error, origin) => current?.log('uncaughtException', error, origin));

function report(line) {
  fs.writeSync(3, JSON.stringify(line) + '\n');
}

function emptyDirectory() {
  process.chdir('/');
  fs.rmSync(dir, { recursive: true, force: true });
  fs.mkdirSync(dir);
  fs.chmodSync(dir, 0o755);
  process.chdir(dir);
}

function deadline() {
  let timer;
  const reached = new Promise((resolve) => {
    timer = setTimeout(resolve, SCENARIO_MS, 'timed out');
  });
  return { reached, cancel: () => clearTimeout(timer) };
}

async function run(name) {
  emptyDirectory();
  report({ name, began: true });
  const t = new Context({ cp, dir, subject, childEnd, serialization });
  current = t;
  const before = snapshot();
  const limit = deadline();
  const ended = await Promise.race([
    (async () => (scenarios[name].run ?? scenarios[name])(cp, t))().then(
      (observed) => ({ observed: t.describe(observed) }),
      (error) => ({ failed: t.describe(error) }),
    ),
    limit.reached,
  ]);
  limit.cancel();
  const left = await leftovers(before);
  current = null;
  report({ name, observation: t.finish({ ended, log: t.entries, left }) });
}

// The first spawns of a process set up what stays for its life (an epoll set, say): not a leak of the first scenario.
function warmUp(options) {
  return new Promise((resolve) => {
    try {
      const child = cp.spawn('true', options).once('close', resolve).once('error', resolve);
      for (const stream of child.stdio) stream?.on('error', () => {});
    } catch {
      resolve();
    }
  });
}

async function main() {
  await warmUp({ stdio: 'ignore' });
  await warmUp({});
  for (const name of JSON.parse(names)) await run(name);
  process.chdir(path.dirname(dir));
  report({ done: true });
}

main();
