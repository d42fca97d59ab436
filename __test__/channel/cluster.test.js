'use strict';

// cluster under `-r child-process-rs/register`: both ends of each worker's channel are ours, and all of it works.

const test = require('ava');
const path = require('node:path');

const { OURS } = require('../parity/harness');
const { valueFromNode } = require('../helpers/run-node');

const REGISTER = path.join(path.dirname(OURS), 'register.js');
const APP = path.join(__dirname, '../fixtures/cluster-app.js');

const sum = (served) => Object.values(served).reduce((total, count) => total + count, 0);
const isAnswer = (answer) => answer.startsWith('worker ');

const CASES = [
  { policy: 'rr', serialization: 'json', end: 'native' },
  { policy: 'none', serialization: 'advanced', end: 'native' },
  { policy: 'rr', serialization: 'advanced', end: 'builtin' },
  { policy: 'none', serialization: 'json', end: 'builtin' },
];

for (const { policy, serialization, end } of CASES) {
  test.serial(`cluster works whole (${policy}, ${serialization}, ${end} end in the workers)`, async (t) => {
    const env = end === 'builtin' ? { CHILD_PROCESS_RS_CHANNEL: 'builtin' } : {};
    const result = await valueFromNode(['-r', REGISTER, APP, policy, serialization], { env });
    const { served, again, last, ...others } = result;
    for (const [load, workers] of [
      [served, 3],
      [again, 3],
      [last, 1],
    ]) {
      t.is(sum(load), 60);
      t.true(Object.keys(load).every(isAnswer), JSON.stringify(load));
      // Where the kernel decides, one may get them all.
      t.true(policy === 'none' || Object.keys(load).length === workers, JSON.stringify(load));
    }
    t.deepEqual(others, {
      isOurs: true,
      ends: [end, end, end],
      crash: { signal: 'SIGKILL', asked: false, workers: ['2', '3'] },
      exclusive: 'alone 2',
      datagram: 'datagram 2',
      socket: 'socket 3',
      disconnected: { code: 0, asked: true },
      killed: 'SIGTERM',
      left: 0,
      asked: true,
    });
  });
}
