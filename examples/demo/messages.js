'use strict';

// A parent and a worker process that answers each message. `fork` runs this same file as the worker.

const { once } = require('node:events');

if (require.main === module) {
  process.on('message', (n) => process.send(n * n));
}

/** Sends `count` numbers to a worker that `fork` starts. Resolves to the sum of its answers and the time they took. */
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
  // Its first answer shows that the worker has started. Only the time after that is measured.
  worker.send(0);
  await done;
  const milliseconds = performance.now() - began;
  worker.disconnect();
  await once(worker, 'exit');
  return { sum, milliseconds };
}

module.exports = { squares };
