'use strict';

// Every way a spawn can end, fifty times over in a process of its own: afterwards no descriptor, no zombie, no handle
// is left, and the process ends by itself.

const test = require('ava');
const { execFileSync } = require('node:child_process');
const path = require('node:path');

const { valueFromNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const SCRIPT = path.join(__dirname, '../fixtures/leak.js');
const TIMES = 50;

const kinds = JSON.parse(execFileSync(process.execPath, [SCRIPT, 'node:child_process']));

for (const kind of kinds) {
  test.serial(`nothing is left after fifty times: ${kind}`, async (t) => {
    const { left, fdGrowth, endings } = await valueFromNode([SCRIPT, OURS, kind, String(TIMES)], { timeout: 200_000 });
    t.true(left.fds <= 0, `${left.fds} descriptors`);
    t.true(fdGrowth <= 1, `${fdGrowth} descriptors, the loop's own among them`);
    t.true(left.zombies <= 0, `${left.zombies} zombies`);
    t.deepEqual(left.resources, []);
    t.is(endings.length, 1, `each time the same: ${endings}`);
  });
}

test.serial(
  'the end of a child that is let go is told while the loop still turns, as the builtin does it',
  async (t) => {
    const script = (subject) => `
    const child = require(${JSON.stringify(subject)}).spawn('true', { stdio: 'ignore' });
    child.unref();
    const events = [];
    for (const event of ['exit', 'close']) child.on(event, () => events.push(event));
    // It comes meanwhile.
    setTimeout(() => { for (const until = Date.now() + 100; Date.now() < until;); setImmediate(() => {}); }, 1);
    process.on('exit', () => console.log(JSON.stringify(events)));`;
    for (const subject of ['node:child_process', OURS])
      t.deepEqual(await valueFromNode(['-e', script(subject)]), ['exit', 'close']);
  },
);
