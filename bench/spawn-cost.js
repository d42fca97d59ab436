'use strict';

const { occupy } = require('./memory');
const { spawnOneByOne } = require('./one-by-one');
const { median } = require('./stats');

/** The µs inside spawn(), median, with so many megabytes of Buffers in memory. */
async function insideSpawn({ cp, quick }, { megabytes, stdio }) {
  occupy(megabytes);
  const plan = quick ? { calls: 50, warmUp: 10, seconds: 0.5 } : { calls: 400, warmUp: 50, seconds: 2 };
  // At 2 GB the builtin's warm-up alone would take seconds; what has to warm up is the same code as at small memory.
  if (megabytes > 0) plan.warmUp = 10;
  const { inside } = await spawnOneByOne(cp, '/bin/true', stdio, plan);
  return { call: median(inside) };
}

/**
 * The metric "how long spawn() holds the event loop" for one kind of stdio, at small memory and with 2 GB of Buffers.
 */
function spawnCost({ name, stdio, goals }) {
  const row = (id) => [{ id: 'call', unit: 'µs', better: 'less', goals: { builtin: goals[id] } }];
  return {
    name,
    cases: [
      { id: 'small', options: { megabytes: 0, stdio }, rows: row('small') },
      { id: '2gb', options: { megabytes: 2048, stdio }, rows: row('2gb') },
    ],
    measure: insideSpawn,
  };
}

module.exports = { insideSpawn, spawnCost };
