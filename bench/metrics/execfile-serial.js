'use strict';

const { echo, plan } = require('../exec-file');
const { rateOf } = require('../rate');

module.exports = {
  name: 'execfile-serial',
  cases: [
    { id: 'echo', options: {}, rows: [{ id: 'rate', unit: 'processes/s', better: 'more', goals: { builtin: 1.8 } }] },
  ],
  async measure({ cp, quick }) {
    return { rate: await rateOf(() => echo(cp), plan(1, quick)) };
  },
  limit: (options, quick) => ['exec', '1', String(plan(1, quick).warmUp), String(plan(1, quick).seconds)],
};
