'use strict';

const { setTimeout: sleep } = require('node:timers/promises');

/** The CPU time of this whole process over `ms`, in ms, once `settle` ms have gone by. */
async function cpuOver({ settle, ms }) {
  await sleep(settle);
  const from = process.cpuUsage();
  await sleep(ms);
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}

module.exports = { cpuOver };
