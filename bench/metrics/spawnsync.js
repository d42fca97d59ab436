'use strict';

const { FILE, ARGS, plan } = require('../exec-file');
const { rateOfSync } = require('../rate');

module.exports = {
  name: 'spawnsync',
  cases: [
    {
      id: 'echo',
      options: {},
      rows: [{ id: 'rate', unit: 'processes/s', better: 'more', goals: { builtin: 2, bun: 1 } }],
    },
  ],
  measure({ cp, quick }) {
    const work = () => {
      const { status, stdout } = cp.spawnSync(FILE, ARGS);
      if (status !== 0 || stdout.length !== 3) throw new Error(`echo ended with ${status}`);
    };
    return { rate: rateOfSync(work, plan(1, quick)) };
  },
};
