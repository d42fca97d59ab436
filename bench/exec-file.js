'use strict';

const FILE = '/bin/echo';
const ARGS = ['hi'];

/** One `echo hi` through `execFile`, checked: a wrong answer must not count as a fast one. */
function echo(cp) {
  return new Promise((resolve, reject) => {
    cp.execFile(FILE, ARGS, (error, stdout) => {
      if (error) reject(error);
      else if (stdout !== 'hi\n') reject(new Error(`echo said ${JSON.stringify(stdout)}`));
      else resolve();
    });
  });
}

const plan = (width, quick) => (quick ? { width, warmUp: 0.2, seconds: 0.5 } : { width, warmUp: 0.5, seconds: 3 });

module.exports = { FILE, ARGS, echo, plan };
