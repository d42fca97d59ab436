'use strict';

const { number, table } = require('./table');
const { lines } = require('./header');

const mark = (isMet) => (isMet ? '✓' : '✗');

/** `15.3× ✓ ≥15×`: how many times better ours is, and the goal if there is one. */
function ratioCell(ratio, goal) {
  if (ratio === undefined) return goal === undefined ? '' : `(≥${goal}×)`;
  const text = `${number(ratio)}×`;
  if (goal === undefined) return text;
  return `${text} ${mark(ratio >= goal)} ≥${goal}×`;
}

/** `+1.2 ms ✓ ≤+3 ms`: how much more ours takes, where the goal is a difference and not a ratio. */
function overCell(more, over, unit) {
  const goal = `≤+${over} ${unit}`;
  if (Number.isNaN(more)) return `(${goal})`;
  return `${more < 0 ? '' : '+'}${number(more)} ${unit} ${mark(more <= over)} ${goal}`;
}

function versus({ unit, medians, ratios, goals }, who) {
  const goal = goals[who];
  return goal?.over === undefined
    ? ratioCell(ratios[who], goal)
    : overCell(medians.ours - medians[who], goal.over, unit);
}

function mainTable(allRows, allNames) {
  const rows = allRows.filter(({ isApart }) => !isApart);
  if (rows.length === 0) return [];
  const names = allNames.filter((name) => rows.some(({ medians }) => medians[name] !== undefined));
  const rivals = names.filter((name) => name !== 'ours');
  const head = ['metric', 'unit', ...names, ...rivals.map((name) => `vs ${name}`)];
  const body = rows.map((row) => [
    row.name,
    row.unit,
    ...names.map((who) => number(row.medians[who])),
    ...rivals.map((who) => versus(row, who)),
  ]);
  return [table([head, ...body]), '', '"vs" = how many times better ours is; ✓/✗ = the goal is met/missed'];
}

/** The whole report as text. A goal that is missed is shown, never asserted: a slow machine is not a broken program. */
function report({ about, rows, names, failures, suite }) {
  return [
    ...lines(about),
    '',
    ...suite.above(rows),
    ...mainTable(rows, names),
    ...suite.below(rows, names),
    ...failures.map((failure) => `FAILED ${failure}`),
  ].join('\n');
}

module.exports = { mark, report };
