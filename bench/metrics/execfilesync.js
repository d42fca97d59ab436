'use strict';

const { FILE, ARGS, plan } = require('../exec-file');
const { rateOfSync } = require('../rate');

module.exports = {
  name: 'execfilesync',
  cases: [
    {
      id: 'echo',
      options: {},
      rows: [{ id: 'rate', unit: 'processes/s', better: 'more', goals: { builtin: 2, bun: 1 } }],
    },
  ],
  measure({ cp, quick }) {
    const work = () => {
      if (cp.execFileSync(FILE, ARGS).length !== 3) throw new Error('echo lost its answer');
    };
    return { rate: rateOfSync(work, plan(1, quick)) };
  },
};
