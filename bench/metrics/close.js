'use strict';

const { bareProgram, canRunBare } = require('../bare');
const { spawnOneByOne } = require('../one-by-one');
const { median } = require('../stats');

const rows = (goals) => [{ id: 'close', unit: 'µs', better: 'less', goals }];
const GOALS = { builtin: 1.6 };

// The same without what /bin/true itself takes.
const bare = [
  { id: 'bare-ignore', options: { stdio: 'ignore', bare: true }, rows: rows() },
  { id: 'bare-pipe', options: { stdio: 'pipe', bare: true }, rows: rows() },
];

/** From the call of spawn() to 'close': launch, run, exit, reap, end of the streams. */
module.exports = {
  name: 'close',
  cases: [
    { id: 'ignore', options: { stdio: 'ignore' }, rows: rows(GOALS) },
    { id: 'pipe', options: { stdio: 'pipe' }, rows: rows(GOALS) },
    ...(canRunBare ? bare : []),
  ],
  async measure({ cp, quick }, { stdio, bare: isBare }) {
    const plan = quick ? { calls: 50, warmUp: 10, seconds: 0.5 } : { calls: 500, warmUp: 50, seconds: 2 };
    const { untilClose } = await spawnOneByOne(cp, isBare ? bareProgram() : '/bin/true', stdio, plan);
    return { close: median(untilClose) };
  },
};
