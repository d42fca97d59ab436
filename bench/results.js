'use strict';

const { median, timesBetter } = require('./stats');

/** Samples by row and contestant, and what is worked out from them. */
class Results {
  #samples = new Map();
  failures = [];

  static key(metric, oneCase, row) {
    return [metric.name, oneCase.id, row.id].join(' ');
  }

  add({ metric, oneCase, contestant }, values) {
    for (const row of oneCase.rows) {
      const value = values[row.id];
      if (typeof value !== 'number') continue;
      const key = Results.key(metric, oneCase, row);
      const byName = this.#samples.get(key) ?? {};
      (byName[contestant.name] ??= []).push(value);
      this.#samples.set(key, byName);
    }
  }

  /** One entry a row of the table: medians by contestant, how many times better ours is than each, and the goals. */
  rows(cases) {
    return cases.flatMap(({ metric, oneCase }) =>
      oneCase.rows.map((row) => {
        const name = Results.key(metric, oneCase, row);
        const samples = this.#samples.get(name) ?? {};
        const medians = Object.fromEntries(Object.entries(samples).map(([who, values]) => [who, median(values)]));
        const ratios = {};
        for (const who of Object.keys(medians)) {
          if (who !== 'ours' && medians.ours !== undefined)
            ratios[who] = timesBetter(medians.ours, medians[who], row.better);
        }
        const isApart = metric.isApart === true;
        return { name, unit: row.unit, better: row.better, isApart, goals: row.goals ?? {}, medians, ratios, samples };
      }),
    );
  }
}

module.exports = { Results };
