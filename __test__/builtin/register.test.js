'use strict';

// `node -r child-process-rs/register app`: the program changes nothing and gets ours.

const test = require('ava');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { runNode } = require('../helpers/run-node');

const ROOT = path.resolve(__dirname, '../..');
const REGISTER = path.join(ROOT, 'register.js');

test.beforeEach((t) => {
  t.context.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'register-'));
});

test.afterEach.always((t) => {
  fs.rmSync(t.context.dir, { recursive: true, force: true });
});

async function run(t, name, source, args = ['-r', REGISTER]) {
  const file = path.join(t.context.dir, name);
  fs.writeFileSync(file, source);
  const { stdout, stderr, code, signal } = await runNode([...args, file], { env: { OURS: ROOT }, timeout: 120_000 });
  t.is(signal, null);
  t.is(code, 0, stderr);
  return JSON.parse(stdout);
}

// The builtin's ChildProcess is marked by its handle; what is ours is told by identity with the package's own exports.
const PRINT = 'console.log(JSON.stringify(seen))';

test('require, with and without node:', async (t) => {
  const seen = await run(
    t,
    'app.js',
    `
    const ours = require(process.env.OURS)
    const isOurs = (cp) => cp.spawn === ours.spawn && cp.ChildProcess === ours.ChildProcess
    const seen = ['child_process', 'node:child_process'].map((name) => isOurs(require(name)))
    seen.push(require('child_process') === require('node:child_process'))
    seen.push(process.getBuiltinModule === undefined || isOurs(process.getBuiltinModule('child_process')))
    ${PRINT}`,
  );
  t.deepEqual(seen, [true, true, true, true]);
});

test('import: default, named, namespace, with and without node:', async (t) => {
  const seen = await run(
    t,
    'app.mjs',
    `
    import { createRequire } from 'node:module'
    import one, { spawn as first, ChildProcess as FirstClass } from 'child_process'
    import two, { spawn as second } from 'node:child_process'
    import * as all from 'node:child_process'
    const ours = createRequire(import.meta.url)(process.env.OURS)
    const late = await import('child_process')
    const functions = [one.spawn, first, two.spawn, second, all.spawn, all.default.spawn, late.spawn]
    const seen = functions.map((spawn) => spawn === ours.spawn)
    seen.push(FirstClass === ours.ChildProcess)
    ${PRINT}`,
  );
  t.deepEqual(seen, Array(8).fill(true));
});

test('--import instead of -r', async (t) => {
  const seen = await run(
    t,
    'app.mjs',
    `
    import { createRequire } from 'node:module'
    import { spawn } from 'node:child_process'
    const seen = spawn === createRequire(import.meta.url)(process.env.OURS).spawn
    ${PRINT}`,
    ['--import', REGISTER],
  );
  t.true(seen);
});

test('a program that knows nothing of it runs', async (t) => {
  const seen = await run(
    t,
    'app.js',
    `
    const { spawn, exec, execFileSync } = require('child_process')
    const seen = []
    const child = spawn('echo', ['hello'])
    child.stdout.on('data', (data) => seen.push(String(data)))
    child.on('close', (...args) => {
      seen.push(args)
      exec('echo exec', (error, stdout) => {
        seen.push(stdout, String(execFileSync('echo', ['sync'])))
        ${PRINT}
      })
    })`,
  );
  t.deepEqual(seen, ['hello\n', [0, null], 'exec\n', 'sync\n']);
});

test('every export of the builtin is still there', async (t) => {
  const source = `
    const cp = require('child_process')
    const seen = Object.keys(cp).sort().map((key) => [key, typeof cp[key], cp[key].length])
    ${PRINT}`;
  t.deepEqual(await run(t, 'with.js', source), await run(t, 'without.js', source, []));
});

test('required in the middle of a program, and twice', async (t) => {
  const seen = await run(
    t,
    'app.js',
    `
    const before = require('child_process').spawn
    require(${JSON.stringify(REGISTER)})
    require(${JSON.stringify(REGISTER)})
    const after = require('child_process').spawn
    const seen = [before === after, after === require(process.env.OURS).spawn]
    ${PRINT}`,
    [],
  );
  t.deepEqual(seen, [false, true]);
});

test('a Worker has it too when it is given the same flags', async (t) => {
  const seen = await run(
    t,
    'app.js',
    `
    const { Worker } = require('node:worker_threads')
    const worker = new Worker(\`
      const { parentPort } = require('node:worker_threads')
      parentPort.postMessage(require('child_process').spawn === require(process.env.OURS).spawn)
    \`, { eval: true })
    worker.on('message', (seen) => { ${PRINT} })`,
  );
  t.true(seen);
});

test('a NODE_OPTIONS with it is inherited by children that are node', async (t) => {
  const file = path.join(t.context.dir, 'parent.js');
  fs.writeFileSync(
    file,
    `
    const isOurs = 'require("child_process").spawn === require(process.env.OURS).spawn'
    require('child_process').spawn(process.execPath, ['-p', isOurs], { stdio: ['ignore', 'inherit', 'inherit'] })`,
  );
  const { stdout, stderr } = await runNode([file], { env: { OURS: ROOT, NODE_OPTIONS: `-r ${REGISTER}` } });
  t.is(stdout, 'true\n', stderr);
});
