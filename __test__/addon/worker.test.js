'use strict';

// In Worker threads: several at once, terminated with live children, terminated in the middle of a spawn.

const test = require('ava');
const path = require('node:path');

const { valueFromNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const run = (scenario) =>
  valueFromNode([path.join(__dirname, '../fixtures/workers.js'), OURS, scenario], { timeout: 200_000 });

const TEN = Array.from({ length: 10 }, (_, i) => String(i));

test('a Worker spawns', async (t) => {
  t.deepEqual(await run('spawns'), { result: TEN, code: 0 });
});

test('failures reach the Worker that asked', async (t) => {
  t.deepEqual(await run('failures'), { result: ['ENOENT', 'EACCES', 'ENOENT'], code: 0 });
});

test('several Workers and the main thread spawn side by side', async (t) => {
  t.deepEqual(await run('sideBySide'), { same: 1, first: { result: TEN, code: 0 } });
  t.deepEqual(await run('mainAndWorker'), {
    worker: { result: TEN, code: 0 },
    main: 1,
    one: { code: 0, signal: null },
  });
});

test('a Worker terminated with live children leaves no zombie', async (t) => {
  t.deepEqual(await run('terminateAlive'), { pids: 4, code: 1, gone: true, zombies: 0 });
});

test('a Worker terminated in the middle of spawning does not crash the process', async (t) => {
  t.deepEqual(await run('terminateWhileSpawning'), { codes: [1], gone: true, zombies: 0 });
});

test('a Worker ends when its child is let go, and the child is reaped', async (t) => {
  t.deepEqual(await run('unref'), { code: 0, gone: true, zombies: 0 });
});

test('terminating one Worker does not disturb another', async (t) => {
  t.deepEqual(await run('terminatedBesideOthers'), { survivor: 10, after: 10, gone: true, zombies: 0 });
});

test('Workers that have come and gone leave nothing behind', async (t) => {
  const { fds, zombies, resources } = await run('manyWorkersLeaveNothing');
  t.true(fds <= 0, `${fds} descriptors`);
  t.is(zombies, 0);
  t.deepEqual(resources, []);
});

test('the process exits while a Worker has live children', async (t) => {
  t.is(await run('processExitWithWorkers'), 'the process exits with a live Worker that has live children');
});
