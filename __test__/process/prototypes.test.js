'use strict';

// What a program has done to JavaScript's own prototypes does not reach its children. The oracle is the builtin without
// such a program: with one, the builtin itself gives children other environments.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('ava');

const { FORKED, patches } = require('../fixtures/patched');
const { runNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

const FIXTURE = path.join(__dirname, '../fixtures/patched.js');

async function launchedUnder(t, subject, patch) {
  const { stdout, stderr } = await runNode([FIXTURE, subject, patch, t.context.forked]);
  t.notThrows(() => JSON.parse(stdout), stderr);
  return JSON.parse(stdout);
}

test.beforeEach((t) => {
  t.context.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'prototypes-'));
  t.context.forked = path.join(t.context.dir, 'forked.js');
  fs.writeFileSync(t.context.forked, FORKED);
});

test.afterEach.always((t) => fs.rmSync(t.context.dir, { recursive: true }));

test('what is launched is the same whichever function of an array is replaced', async (t) => {
  const expected = await launchedUnder(t, 'node:child_process', 'nothing');
  for (const patch of patches) t.deepEqual(await launchedUnder(t, OURS, patch), expected, patch);
});

test('a number that is no descriptor of the process is not taken over as one', async (t) => {
  const script = `
    const { native } = require(${JSON.stringify(path.join(path.dirname(OURS), 'lib/addon/native'))});
    for (const fd of [-1, 4000]) {
      native.closeFd(fd);
      try { native.closeOnExec(fd); } catch (error) { console.log(error.message); }
    }`;
  const { stdout, signal, stderr } = await runNode(['-e', script]);
  t.is(signal, null, stderr);
  t.deepEqual(stdout.trim().split('\n'), Array(2).fill('Bad file descriptor (os error 9)'));
});
