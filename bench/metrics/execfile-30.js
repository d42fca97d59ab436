'use strict';

const { echo, plan } = require('../exec-file');
const { rateOf } = require('../rate');
const { loopDelay } = require('../loop-delay');

const WIDTH = 30;

module.exports = {
  name: 'execfile-30',
  cases: [
    {
      id: 'echo',
      options: {},
      rows: [
        { id: 'rate', unit: 'processes/s', better: 'more', goals: { builtin: 2.4, bun: 1.4 } },
        { id: 'loop p99', unit: 'ms', better: 'less', goals: { builtin: 4 } },
      ],
    },
  ],
  async measure({ cp, quick }) {
    const delay = loopDelay();
    const rate = await rateOf(() => echo(cp), { ...plan(WIDTH, quick), onStart: delay.start });
    return { rate, 'loop p99': delay.p99() };
  },
  limit: (options, quick) => [
    'exec',
    String(WIDTH),
    String(plan(WIDTH, quick).warmUp),
    String(plan(WIDTH, quick).seconds),
  ],
};
