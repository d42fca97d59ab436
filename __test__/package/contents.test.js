'use strict';

// What the tarballs hold, and what the tools that judge packages say of them.

const test = require('ava');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { localBinary, root } = require('../../lib/addon/locate');
const { triple } = require('../../lib/addon/triple');
const { MAIN, PLATFORM, publish } = require('./helpers/published');

const published = publish(test);

const ALLOWED = [
  /^(package\.json|README(\.zh-CN)?\.md|LICENSE)$/,
  /^(index|promises|register)\.(js|js\.map|d\.ts)$/,
  /^native\.d\.ts$/,
  /^lib\/\w+\/[\w-]+\.js(\.map)?$/,
  // What a build from source takes.
  /^scripts\/(build|install)\.js$/,
  /^(Cargo\.toml|Cargo\.lock|build\.rs)$/,
  /^src\/[\w/]+\.rs$/,
];

function list({ tarball }) {
  return execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.replace(/^package\//, ''));
}

test('the package holds what users need and nothing else', (t) => {
  const files = list(published.staged[MAIN]);
  t.deepEqual(
    files.filter((file) => !ALLOWED.some((pattern) => pattern.test(file))),
    [],
  );
  t.deepEqual(
    files.filter((file) => /test|bench|fuzz/.test(file)),
    [],
  );
  const { manifest } = published.staged[MAIN];
  for (const name of ['devDependencies', 'dependencies', 'ava', 'scripts']) t.is(manifest[name], undefined);
});

test('it asks for the packages of every platform, in its own version', (t) => {
  const { [MAIN]: main, ...platforms } = published.staged;
  t.is(Object.keys(platforms).length, 4);
  t.deepEqual(
    main.manifest.optionalDependencies,
    Object.fromEntries(Object.keys(platforms).map((name) => [name, main.manifest.version])),
  );
});

test('a platform package holds its binary, and says where it fits', (t) => {
  const binary = `${PLATFORM.replace(MAIN, `${MAIN}.`).replace('.-', '.')}.node`;
  t.deepEqual(list(published.staged[PLATFORM]).sort(), ['LICENSE', 'README.md', binary, 'package.json'].sort());
  const fits = Object.entries(published.staged).map(
    ([
      name,
      {
        manifest: { os, cpu, libc },
      },
    ]) => [name.slice(MAIN.length + 1), os, cpu, libc],
  );
  t.deepEqual(
    fits.filter(([name]) => name !== ''),
    [
      ['linux-x64-gnu', ['linux'], ['x64'], ['glibc']],
      ['linux-x64-musl', ['linux'], ['x64'], ['musl']],
      ['linux-arm64-gnu', ['linux'], ['arm64'], ['glibc']],
      ['linux-arm64-musl', ['linux'], ['arm64'], ['musl']],
    ],
  );
});

test('what npm packs in a checkout is the same once its install script has run', (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'packed-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }));
  execFileSync('npm', ['pack', '--pack-destination', dir], { cwd: root, stdio: 'ignore' });
  t.false(fs.existsSync(path.join(root, 'packed')));
  const [tarball] = fs.readdirSync(dir);
  execFileSync('tar', ['-xzf', tarball], { cwd: dir });
  const folder = path.join(dir, 'package');
  // So that nothing has to be compiled.
  const binary = localBinary(triple());
  fs.copyFileSync(binary, path.join(folder, path.basename(binary)));
  execFileSync(process.execPath, [path.join(folder, 'scripts/install.js'), 'build'], { stdio: 'ignore' });
  t.false(fs.existsSync(path.join(folder, 'packed')));
  const sources = list(published.staged[MAIN]).filter((file) => /^(lib|index|promises|register).*\.js$/.test(file));
  t.true(sources.length > 10);
  for (const file of sources) {
    const text = (where) => fs.readFileSync(path.join(where, file), 'utf8');
    t.is(text(folder), text(published.staged[MAIN].folder), file);
  }
});

test('publint finds nothing', async (t) => {
  const { publint } = await import('publint');
  for (const name of [MAIN, PLATFORM]) {
    const { folder } = published.staged[name];
    const { messages } = await publint({ pkgDir: folder, pack: 'npm', strict: true, level: 'warning' });
    t.deepEqual(messages, []);
  }
});

test('the types are right for every way of resolving them', async (t) => {
  const { checkPackage, createPackageFromTarballData } = await import('@arethetypeswrong/core');
  const tarball = createPackageFromTarballData(fs.readFileSync(published.staged[MAIN].tarball));
  const { problems, types } = await checkPackage(tarball);
  t.is(types.kind, 'included');
  t.deepEqual(problems, []);
});
