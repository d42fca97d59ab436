'use strict';

// A worker process and its parent: each message is answered. Run by itself, this file is the worker.

const { once } = require('node:events');

if (require.main === module) {
  process.on('message', (n) => process.send(n * n));
}

/** Sends `count` numbers to a worker that `fork` starts: the sum of its answers, and how long they took. */
async function squares(fork, count) {
  const worker = fork(__filename);
  let sum = 0;
  let answers = 0;
  let began;
  const done = new Promise((resolve) => {
    worker.on('message', (square) => {
      sum += square;
      answers += 1;
      if (answers === 1) sendAll();
      else if (answers === count) resolve();
    });
  });
  const sendAll = () => {
    began = performance.now();
    for (let n = 1; n < count; n++) worker.send(n);
  };
  // The first answer shows that the worker is there: its start does not count.
  worker.send(0);
  await done;
  const milliseconds = performance.now() - began;
  worker.disconnect();
  await once(worker, 'exit');
  return { sum, milliseconds };
}

module.exports = { squares };
