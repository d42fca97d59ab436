'use strict';

// For a test file: the staged packages and registries that serve them, made before its tests and removed after them.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { Machine } = require('./machine');
const { serve } = require('./registry');
const { MAIN, PLATFORM, stage } = require('./staged');

/** What the tests of `test` use, filled in before they run: `staged`, and `machine(t, settings)`. */
function publish(test) {
  const published = {};
  const closers = [];
  let dir;

  test.before(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'package-'));
    published.staged = await stage(dir);
    const all = await serve(published.staged);
    // As for a platform that has no package.
    const bare = await serve({ [MAIN]: published.staged[MAIN] });
    closers.push(all.close, bare.close);
    published.machine = (t, { prebuilt = true, ...settings }) => {
      const machine = new Machine({ ...settings, registry: (prebuilt ? all : bare).origin });
      t.teardown(() => machine.remove());
      return machine;
    };
  });

  test.after.always(async () => {
    await Promise.all(closers.map((close) => close()));
    if (dir) fs.rmSync(dir, { recursive: true, force: true });
  });

  return published;
}

async function installs(t, machine, ...args) {
  const { code, output } = await machine.npm('install', ...args);
  t.is(code, 0, output);
}

const { nodes, bun, deno } = JSON.parse(process.env.PACKAGE_TEST_PEERS);

module.exports = { MAIN, PLATFORM, bun, deno, installs, nodes, publish };
