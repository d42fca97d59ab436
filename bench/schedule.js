'use strict';

const { takesPart } = require('./trial');

/**
 * `only` names whole metrics (`close`) or single cases (`close/pipe`); without it, all but those that only the report
 * draws.
 */
function chosen(metrics, only) {
  const cases = metrics.flatMap((metric) => metric.cases.map((oneCase) => ({ metric, oneCase })));
  if (!only) return cases.filter(({ metric }) => !metric.isForReport);
  const names = ({ metric, oneCase }) => [metric.name, `${metric.name}/${oneCase.id}`];
  const unknown = only.filter((name) => !cases.some((one) => names(one).includes(name)));
  if (unknown.length > 0)
    throw new Error(`no such metric: ${unknown.join(', ')}; there are: ${metrics.map(({ name }) => name).join(', ')}`);
  return cases.filter((one) => names(one).some((name) => only.includes(name)));
}

/**
 * Every trial of every round in the order in which it runs: the contestants of a case side by side, so that a machine
 * that slows down slows all of them down, and each round begun by another, so that nobody always goes first.
 */
function* schedule(cases, contestants, options) {
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { metric, oneCase } of cases) {
      const able = contestants.filter((contestant) => takesPart(contestant, metric, oneCase, options));
      for (let i = 0; i < able.length; i += 1) {
        yield { round, metric, oneCase, contestant: able[(i + round) % able.length] };
      }
    }
  }
}

module.exports = { chosen, schedule };
