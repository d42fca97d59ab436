'use strict';

// What can be required and imported, by which names. The package is asked for by its own name, so that its exports map
// counts.

const test = require('ava');
const builtin = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const pkg = require('../../package.json');

const ADDED = ['isNative', 'version'];
// From Node 23 on every imported CommonJS module has this one too.
const OF_NODE = ['default', 'module.exports'];

const imported = (namespace) =>
  Object.keys(namespace)
    .filter((name) => !OF_NODE.includes(name))
    .sort();

test('require has every name of the builtin, and two more', (t) => {
  const ours = require('child-process-rs');
  t.deepEqual(Object.keys(ours).sort(), [...Object.keys(builtin), ...ADDED].sort());
  for (const name of Object.keys(builtin)) t.is(typeof ours[name], typeof builtin[name]);
  t.is(ours.version, pkg.version);
  t.true(ours.isNative);
});

test('the binary is of the same version', (t) => {
  const { native } = require('../../lib/addon/native');
  t.is(native.version(), pkg.version);
});

test('import has the same names, each the same value, and all of it as the default', async (t) => {
  const ours = require('child-process-rs');
  const namespace = await import('child-process-rs');
  t.deepEqual(imported(namespace), Object.keys(ours).sort());
  for (const name of imported(namespace)) t.is(namespace[name], ours[name]);
  t.is(namespace.default, ours);
});

test('child-process-rs/promises, both ways', async (t) => {
  const promises = require('child-process-rs/promises');
  const namespace = await import('child-process-rs/promises');
  t.deepEqual(Object.keys(promises), ['$', 'CommandError', 'exec', 'execFile', 'lines', 'sh']);
  t.deepEqual(imported(namespace), Object.keys(promises));
  t.is(namespace.default, promises);
});

test('every entry point has its types, and all of it is published', (t) => {
  for (const [name, entry] of Object.entries(pkg.exports)) {
    if (name === './package.json') continue;
    t.deepEqual(Object.keys(entry), ['types', 'default'], 'types must come first to be found');
    for (const file of Object.values(entry)) {
      t.true(fs.existsSync(path.join(__dirname, '../..', file)));
      t.true(pkg.files.includes(file.slice(2)));
    }
  }
});
