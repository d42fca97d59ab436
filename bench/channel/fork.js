'use strict';

const path = require('node:path');
const { median } = require('../stats');

const HELLO = path.join(__dirname, 'hello.js');

/** ms from fork() until the child's first message. */
function firstMessage(cp) {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    let taken;
    const child = cp.fork(HELLO);
    child.once('message', (message) => {
      taken = performance.now() - from;
      if (message !== 'hello') reject(new Error(`the child said ${JSON.stringify(message)}`));
      if (child.connected) child.disconnect();
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === 0 && taken ? resolve(taken) : reject(new Error(`the child ended with ${signal ?? code}`)),
    );
  });
}

module.exports = {
  name: 'fork',
  cases: [
    {
      id: 'to-first-message',
      options: {},
      rows: [{ id: 'median', unit: 'ms', better: 'less', goals: { builtin: { over: 3 } } }],
    },
  ],
  async measure({ cp, quick }) {
    const [warmUp, count] = quick ? [1, 5] : [3, 25];
    const taken = [];
    // One at a time, each gone before the next: a start beside another one's end would be slower by chance.
    for (let i = 0; i < warmUp + count; i += 1) taken.push(await firstMessage(cp));
    return { median: median(taken.slice(warmUp)) };
  },
};
