'use strict';

const { number } = require('./table');

/** spawn() at 2 GB over spawn() at small memory, for each contestant: 1 means that memory costs nothing. */
function growth(rows, names) {
  const out = [];
  for (const metric of ['spawn-ignore', 'spawn-pipe']) {
    const [small, large] = ['small', '2gb'].map(
      (id) => rows.find(({ name }) => name === `${metric} ${id} call`)?.medians,
    );
    if (!small || !large) continue;
    const each = names
      .filter((who) => small[who] !== undefined && large[who] !== undefined)
      .map((who) => `${who} ${number(large[who] / small[who])}×`);
    if (each.length > 0) out.push(`${metric}, 2 GB over small memory: ${each.join(', ')} (goal for ours: ≤1.5×)`);
  }
  return out;
}

module.exports = { growth };
