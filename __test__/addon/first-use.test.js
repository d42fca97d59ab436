'use strict';

// A program that uses the published package once does not pay for what it does not use.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('ava');

const { stage } = require('../../scripts/staged');
const { runNode } = require('../helpers/run-node');

test.before((t) => {
  t.context.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'first-use-'));
  t.context.ours = stage(t.context.dir);
});

test.after.always((t) => fs.rmSync(t.context.dir, { recursive: true, force: true }));

/** What a program prints, as JSON. `LOADED` are the modules of Node's that it has loaded of those that take long. */
async function printed(t, source, { args = [], name = 'program.js', env = {} } = {}) {
  const heavy = [
    'child_process',
    'net',
    'dgram',
    'stream',
    'worker_threads',
    'os',
    'internal/async_local_storage/async_hooks',
  ];
  const file = path.join(t.context.dir, `${Math.random()}${name}`);
  const LOADED = `${JSON.stringify(heavy)}.filter((name) => process.moduleLoadList.includes('NativeModule ' + name))`;
  const print = 'const print = (value) => fs.writeSync(1, JSON.stringify(value));';
  const before = name.endsWith('.mjs')
    ? `import fs from 'node:fs'; ${print}`
    : `const fs = require('node:fs'); ${print}`;
  fs.writeFileSync(file, `${before}\n${source.replaceAll('LOADED', LOADED)}`);
  const { stdout, stderr } = await runNode([...args, file], { env: { OURS: t.context.ours, ...env } });
  t.is(stderr, '');
  return JSON.parse(stdout);
}

const OURS = 'const cp = require(process.env.OURS);';

test('requiring it loads nothing of Node', async (t) => {
  t.deepEqual(await printed(t, `${OURS} print(LOADED);`), []);
});

test('the synchronous functions need nothing of Node', async (t) => {
  const source = `${OURS}
    cp.execFileSync('true');
    cp.execSync('exit 0');
    cp.spawnSync('true');
    print(LOADED);`;
  t.deepEqual(await printed(t, source), []);
});

test('a child whose streams nobody touches needs none', async (t) => {
  t.deepEqual(await printed(t, `${OURS} cp.spawn('true').on('close', () => print(LOADED));`), []);
});

test('its files are few', async (t) => {
  const source = `${OURS}
    const count = (module) => 1 + module.children.reduce((sum, child) => sum + count(child), 0);
    const files = () => count(require.cache[require.resolve(process.env.OURS)]);
    const seen = [files()];
    cp.execFileSync('true');
    seen.push(files());
    cp.spawn('true').on('close', () => print([...seen, files()]));`;
  t.deepEqual(await printed(t, source), [1, 2, 3]);
});

test('register does nothing before somebody asks for child_process', async (t) => {
  const register = path.join(t.context.ours, 'register.js');
  const source = `
    const before = LOADED;
    const files = Object.keys(require.cache).length;
    print([before, files, require('child_process').spawn === require(process.env.OURS).spawn]);`;
  t.deepEqual(await printed(t, source, { args: ['-r', register] }), [[], 2, true]);
});

const ways = {
  'getBuiltinModule': [
    'const { getBuiltinModule } = process; const cp = getBuiltinModule("node:child_process");',
    'ways.js',
  ],
  'a module of Node that uses it': ['require("node:cluster"); const cp = require("child_process");', 'ways.js'],
  'import of a name': ['import * as cp from "node:child_process";', 'ways.mjs'],
  'import()': ['const cp = await import("child_process");', 'ways.mjs'],
};

for (const [way, [source, name]] of Object.entries(ways)) {
  if (way === 'getBuiltinModule' && !process.getBuiltinModule) continue;
  test(`register is there for ${way}`, async (t) => {
    const require = name.endsWith('.mjs')
      ? 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
      : '';
    const register = path.join(t.context.ours, 'register.js');
    const args = [name.endsWith('.mjs') ? '--import' : '-r', register];
    const seen =
      'const ours = require(process.env.OURS); ' +
      'print([cp.spawn === ours.spawn, cp.ChildProcess === ours.ChildProcess]);';
    t.deepEqual(await printed(t, `${require}${source}\n${seen}`, { args, name }), [true, true]);
  });
}

test('ChildProcess is a property like the others, and may be replaced', async (t) => {
  const source = `
    const kind = (object) => Object.keys(Object.getOwnPropertyDescriptor(object, 'ChildProcess')).join();
    const cp = require(process.env.OURS);
    const copy = { ...cp };
    const kinds = [kind(copy), kind(cp)];
    cp.ChildProcess = 1;
    print([...kinds, cp.ChildProcess, typeof copy.ChildProcess]);`;
  const plain = 'value,writable,enumerable,configurable';
  t.deepEqual(await printed(t, source), [plain, plain, 1, 'function']);
});

test('reading ChildProcess does not load what a child needs', async (t) => {
  const source = `${OURS}
    const { ChildProcess } = cp;
    const files = () => require.cache[require.resolve(process.env.OURS)].children.length;
    print([files(), cp.spawn('true') instanceof ChildProcess, files()]);`;
  t.deepEqual(await printed(t, source), [0, true, 1]);
});

const HAS_ADDON = "fs.readFileSync('/proc/self/maps', 'latin1').includes('child-process-rs')";

test('with register, the addon is loaded by the first call', async (t) => {
  const args = ['-r', path.join(t.context.ours, 'register.js')];
  const source = `
    const cp = require('child_process');
    const { ChildProcess } = cp;
    const before = ${HAS_ADDON};
    cp.execFileSync('true');
    print([before, ${HAS_ADDON}]);`;
  t.deepEqual(await printed(t, source, { args }), [false, true]);
});

test('with register, the builtin makes the calls where addons may not be loaded', async (t) => {
  const args = ['--no-addons', '-r', path.join(t.context.ours, 'register.js')];
  const source = `
    const cp = require('child_process');
    const options = { file: 'true', args: ['true'], stdio: 'ignore' };
    const child = new cp.ChildProcess();
    const seen = [child instanceof cp.ChildProcess, child.spawn(options), String(cp.execFileSync('echo', ['sync']))];
    child.on('close', (code) => {
      const other = cp.spawn('echo', ['hello']);
      other.stdout.on('data', (data) => {
        print([...seen, code, String(data), other instanceof cp.ChildProcess, require(process.env.OURS).isNative]);
      });
    });`;
  // Node refuses before it looks for the file.
  const env = { CHILD_PROCESS_RS_BINARY: 'any.node' };
  t.deepEqual(await printed(t, source, { args, env }), [true, 0, 'sync\n', 0, 'hello\n', true, false]);
});

test('an error names the source that threw it where source maps are on', async (t) => {
  const source = `${OURS} try { cp.spawn(''); } catch (error) { print(error.stack.includes('lib/process/spawn.js')); }`;
  t.true(await printed(t, source, { args: ['--enable-source-maps'] }));
});
