'use strict';

const assert = require('node:assert');
const { Worker } = require('jest-worker');

async function main() {
  const worker = new Worker(require.resolve('./jest-worker-child'), {
    enableWorkerThreads: false,
    exposedMethods: ['add', 'describe', 'fail', 'pid', 'die'],
    numWorkers: 2,
    maxRetries: 1,
  });
  try {
    assert.deepStrictEqual(
      await Promise.all(Array.from({ length: 50 }, (_, i) => worker.add(i, 1))),
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    assert.strictEqual(await worker.describe(new Map([['a', new Set([1n])]])), 'Map Set bigint');
    await assert.rejects(worker.fail('on purpose'), { name: 'RangeError', message: 'on purpose' });
    const pids = await Promise.all(Array.from({ length: 20 }, () => worker.pid()));
    assert.ok(pids.every((pid) => Number.isInteger(pid) && pid !== process.pid));
    // A worker that dies is started again, and tried again, until it is given up.
    await assert.rejects(worker.die(), /exitCode=7|exceeding retry limit|terminated by another process/);
    assert.strictEqual(await worker.add(20, 22), 42);
  } finally {
    await worker.end();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
