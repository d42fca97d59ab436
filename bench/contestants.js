'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { checkouts, peers, limit } = require('./paths');

const FETCH = 'run node bench/peers.js';

/** The first line that a short command prints, or undefined if it cannot run. */
function firstLine(file, args) {
  const { status, stdout } = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? stdout.trim().split('\n')[0] : undefined;
}

/**
 * Why ours cannot take part on this Node, or undefined. What is the builtin's own does not take part: it would race
 * itself.
 */
function cannotLoadOurs(node, needs, checkout) {
  const script = `
    const ours = require(${JSON.stringify(path.join(checkout, 'index.js'))});
    if (!ours.isNative) throw new Error('index.js fell back to the builtin');
    if (ours.${needs} === require('node:child_process').${needs}) {
      throw new Error('${needs}() is the builtin\\'s own');
    }`;
  const { status, stderr } = spawnSync(node, ['-e', script], { encoding: 'utf8', timeout: 20_000 });
  if (status === 0) return undefined;
  return stderr.split('\n').find((line) => /^\w*Error/.test(line)) ?? 'index.js does not load';
}

// --expose-gc lets the memory metric compare what is live, not what waits for a collection.
const nodeRuntime = (node) => [node, '--expose-gc'];

/** The builtin of another Node. */
const otherNode = (name) => () => {
  const version = firstLine(peers[name].binary, ['--version']);
  return version ? { version: `Node ${version}`, runtime: nodeRuntime(peers[name].binary), subject: 'builtin' } : FETCH;
};

/** This package in one of the checkouts. */
const ours =
  (subject) =>
  ({ node, nodeVersion, needs }) => {
    const checkout = checkouts[subject];
    if (!checkout) return 'set CHILD_PROCESS_BEFORE';
    const why = cannotLoadOurs(node, needs, checkout);
    return why ?? { version: `Node ${nodeVersion}`, runtime: nodeRuntime(node), subject };
  };

/** Each as a contestant, or the reason why it cannot be one. */
const known = {
  builtin: ({ node, nodeVersion }) => ({
    version: `Node ${nodeVersion}`,
    runtime: nodeRuntime(node),
    subject: 'builtin',
  }),
  ours: ours('ours'),
  before: ours('before'),
  node20: otherNode('node20'),
  node22: otherNode('node22'),
  node26: otherNode('node26'),
  bun() {
    const version = firstLine(peers.bun.binary, ['--version']);
    return version ? { version: `Bun ${version}`, runtime: [peers.bun.binary], subject: 'builtin' } : FETCH;
  },
  deno() {
    const version = firstLine(peers.deno.binary, ['--version']);
    const runtime = [peers.deno.binary, 'run', '--quiet', '--allow-all', '--v8-flags=--expose-gc'];
    return version ? { version, runtime, subject: 'builtin' } : FETCH;
  },
  tokio() {
    const version = firstLine(limit.binary, ['--version']);
    return version ? { version, program: limit.binary } : FETCH;
  },
  rust() {
    const version = firstLine(limit.ipcBench, ['--version']);
    return version ? { version, program: limit.ipcBench } : FETCH;
  },
};

/**
 * `runtime` starts a JavaScript trial (bench/worker.js follows it); `program` is a contestant that is not JavaScript.
 */
function find({ node: asked, contestants: named = [] }, { contestants, guests, needs }) {
  const node = asked ?? (fs.existsSync(peers.node.binary) ? peers.node.binary : process.execPath);
  const nodeVersion = firstLine(node, ['--version']);
  if (nodeVersion === undefined) throw new Error(`${node} is not a Node that runs`);

  const found = [];
  const absent = [];
  for (const name of [...contestants, ...guests.filter((guest) => named.includes(guest))]) {
    const one = known[name]({ node, nodeVersion, needs });
    if (typeof one === 'string') absent.push({ name, why: one });
    else found.push({ name, ...one });
  }
  return { node, nodeVersion, found, absent };
}

module.exports = { find };
