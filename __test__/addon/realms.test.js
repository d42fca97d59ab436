'use strict';

// The module loaded more than once in one process: with the cache cleared, from another path, used from other contexts.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');

const { OURS } = require('../parity/harness');
const { stage } = require('../../scripts/staged');

test.before((t) => {
  t.context.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'realms-'));
  t.context.published = stage(t.context.dir);
});

test.after.always((t) => fs.rmSync(t.context.dir, { recursive: true, force: true }));

/** Another copy of the published package: in a checkout, two copies would mix where a file is loaded later. */
function loadAfresh(t) {
  delete require.cache[require.resolve(t.context.published)];
  return require(t.context.published);
}

async function output(child) {
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  const [code, signal] = await once(child, 'close');
  return { text, code, signal };
}

test('loaded twice, both copies work and know their own children', async (t) => {
  const first = loadAfresh(t);
  const second = loadAfresh(t);
  t.not(first, second);
  const children = [first.spawn('echo', ['first']), second.spawn('echo', ['second'])];
  t.true(children[0] instanceof first.ChildProcess);
  t.true(children[1] instanceof second.ChildProcess);
  const results = await Promise.all(children.map(output));
  t.deepEqual(
    results.map(({ text }) => text),
    ['first\n', 'second\n'],
  );
});

test('loaded many times over, children still come and go', async (t) => {
  for (let i = 0; i < 20; i++) {
    const { spawn } = loadAfresh(t);
    t.deepEqual(await output(spawn('echo', [String(i)])), { text: `${i}\n`, code: 0, signal: null });
  }
});

test('options, arguments and environment made in another context', async (t) => {
  const { spawn } = require(OURS);
  const [args, options] = vm.runInNewContext(`[
    ['-c', 'echo "$A $B"; pwd; exit 3'],
    {
      cwd: '/usr',
      env: Object.assign(Object.create({ B: 'inherited' }), { A: 'own', PATH: '/usr/bin:/bin' }),
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  ]`);
  t.deepEqual(await output(spawn('sh', args, options)), { text: 'own inherited\n/usr\n', code: 3, signal: null });
});

test('an AbortSignal and a URL behind a context, errors of the main one', (t) => {
  const { spawn } = require(OURS);
  const error = t.throws(() => spawn('true', vm.runInNewContext(`({ cwd: { not: 'a path' } })`)));
  t.is(error.code, 'ERR_INVALID_ARG_TYPE');
  t.true(error instanceof TypeError);
});

test('spawn called by code of another context', async (t) => {
  const { spawn } = require(OURS);
  const child = vm.runInNewContext(`spawn('echo', ['from the context'])`, { spawn });
  t.deepEqual(await output(child), { text: 'from the context\n', code: 0, signal: null });
});

test('listeners of another context hear everything', async (t) => {
  const { spawn } = require(OURS);
  const heard = [];
  const child = spawn('true', { stdio: 'ignore' });
  const listen = vm.runInNewContext(
    `(child, heard) => {
      for (const event of ['spawn', 'exit', 'close']) child.on(event, (...args) => heard.push([event, ...args]))
    }`,
  );
  listen(child, heard);
  await once(child, 'close');
  t.deepEqual(JSON.parse(JSON.stringify(heard)), [['spawn'], ['exit', 0, null], ['close', 0, null]]);
});
