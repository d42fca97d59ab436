'use strict';

const { FILE, ARGS, plan } = require('../exec-file');
const { rateOf } = require('../rate');
const subjects = require('../subject');

const WIDTH = 30;

/** The promise API at 30 at a time, beside what people use today (`promisify(execFile)`) and plain Rust. */
module.exports = {
  name: 'promises-30',
  cases: [
    {
      id: 'echo',
      options: {},
      rows: [{ id: 'rate', unit: 'processes/s', better: 'more', goals: { tokio: 0.95 } }],
    },
  ],
  async measure({ subjectName, quick }) {
    const { execFile } = subjects.loadPromises(subjectName);
    const work = async () => {
      const { stdout } = await execFile(FILE, ARGS);
      if (String(stdout).trim() !== 'hi') throw new Error(`echo said ${JSON.stringify(stdout)}`);
    };
    return { rate: await rateOf(work, plan(WIDTH, quick)) };
  },
  limit: (options, quick) => [
    'exec',
    String(WIDTH),
    String(plan(WIDTH, quick).warmUp),
    String(plan(WIDTH, quick).seconds),
  ],
};
