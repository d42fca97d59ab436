'use strict';

// A short run of exec-soak.js; the long one is `node __test__/exec/exec-soak.js 10000`.

const test = require('ava');
const path = require('node:path');

const { runNode, valueFromNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const COMMANDS = 600;

test(`${COMMANDS} mixed commands: descriptors, zombies, timers and memory end where they began`, async (t) => {
  const { stdout, stderr, timedOut, signal } = await runNode([path.join(__dirname, 'exec-soak.js'), String(COMMANDS)], {
    env: { SOAK_SUBJECT: OURS },
    timeout: 500_000,
  });
  t.false(timedOut, `it ends by itself\n${stdout}`);
  t.is(signal, null, stderr);
  const { left, clean, tally, rssGrowth } = JSON.parse(stdout);
  t.log(`RSS grew by ${rssGrowth} MB`);
  t.deepEqual(left.resources, []);
  t.true(clean, stdout);
  t.is(
    Object.values(tally).reduce((sum, count) => sum + count, 0),
    COMMANDS,
  );
  // Each kind of command ended in one way, every time.
  const kinds = Object.keys(tally).map((label) => label.split(': ')[0]);
  t.deepEqual([...new Set(kinds)].sort(), kinds.sort(), JSON.stringify(tally, null, 2));
});

/** Whether nearly all of 20 objects are collected that `run`, in a process of its own, registers. */
async function areCollected(run) {
  const script = `
    const cp = require(process.env.SOAK_SUBJECT);
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    (async () => {
      ${run}
      for (let i = 0; i < 100 && collected < 18; i++) {
        global.gc();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      console.log(collected);
    })();`;
  const options = { env: { SOAK_SUBJECT: OURS }, timeout: 60_000 };
  // One or two may still be on the stack.
  return (await valueFromNode(['--expose-gc', '-e', script], options)) >= 18;
}

test('a child with a timeout is collected after its end, whoever has read its output', async (t) => {
  const run = `
    const command = 'sleep 0.03 & exit 0';
    const run = (start) => new Promise((resolve) => {
      const child = start(resolve);
      registry.register(child);
      child.stdout.on('data', () => {});
    });
    for (let i = 0; i < 10; i++) {
      await run((done) => cp.exec(command, { timeout: 600_000 }, done));
      await run((done) => cp.spawn('sh', ['-c', command], { timeout: 600_000 }).on('close', done));
    }`;
  t.true(await areCollected(run));
});

test('the callback of a command that failed is collected, though the listeners of close are gone', async (t) => {
  const run = `
    for (let i = 0; i < 20; i++) {
      const callback = () => {};
      registry.register(callback);
      const child = cp.exec('exit 3', callback);
      child.removeAllListeners('close');
      await new Promise((resolve) => child.once('close', resolve));
    }`;
  t.true(await areCollected(run));
});
