'use strict';

// Renders the measurements to docs/benchmarks.md and its charts, as texts by file name. The same data always gives the
// same texts.

const { PUBLISHED, TRANSPORTS } = require('../channel/reference');
const { machine } = require('../header');
const { number } = require('../table');
const { doubtIn } = require('./figures');
const { CONTESTANTS, sections } = require('./parts');
const { bars, lines } = require('./svg');

// A native limit, and threads where the others have processes.
const OUT_OF_CONTEST = ['tokio', 'worker'];

const better = (row) => (row.better === 'less' ? 'less is better' : 'more is better');
const nameOf = (who) => CONTESTANTS[who];

/** The rows of a section that were measured: `{ key, label, row }`. */
function rowsOf(section, data) {
  const fullName = (key) => (section.chart === 'lines' ? `${section.only} ${key} ${section.suffix}` : key);
  return Object.entries(section.rows).flatMap(([key, label]) => {
    const row = data.rows[fullName(key)];
    return row && Object.keys(row.medians).length > 0 ? { key, label, row } : [];
  });
}

/** The contestants that have a figure in any of the rows, in the usual order. */
function entered(rows) {
  return Object.keys(CONTESTANTS).filter((who) => rows.some(({ row }) => row.medians[who] !== undefined));
}

const thousands = (value) => {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1000 ? `${value / 1000} k` : String(value);
};

function microseconds(value) {
  if (value >= 1e6) return `${value / 1e6} s`;
  return value >= 1000 ? `${value / 1000} ms` : `${value} µs`;
}

function lineChart(section, rows, subtitle) {
  const series = entered(rows).map((who) => ({
    who,
    name: nameOf(who),
    points: rows
      .filter(({ row }) => row.medians[who] !== undefined)
      .map(({ key, row }) => [Number(key), row.medians[who]]),
  }));
  return lines({
    title: section.title,
    subtitle,
    xLabel: section.x,
    xTicks: rows.map(({ key, label }) => [Number(key), label]),
    isLogX: section.isLogX,
    series,
    format: section.unit === 'µs' ? microseconds : thousands,
  });
}

function barChart(section, rows, subtitle) {
  const groups = rows.map(({ label, row }) => ({
    label,
    bars: entered([{ row }]).map((who) => ({ who, name: nameOf(who), value: row.medians[who] })),
  }));
  return bars({ title: section.title, subtitle, groups, format: number });
}

function chart(section, rows) {
  const subtitle = `${section.unit}, ${better(rows[0].row)}${section.chart === 'lines' ? '; logarithmic' : ''}`;
  return section.chart === 'lines' ? lineChart(section, rows, subtitle) : barChart(section, rows, subtitle);
}

const tableOf = (rows) => rows.map((cells) => `| ${cells.join(' | ')} |`);

/**
 * The table of figures. The best is bold. The last column is the factor by which this
 * package is better than the builtin.
 */
function figures(section, rows) {
  const names = entered(rows);
  const head = [section.unit, ...names.map(nameOf), 'times better than Node 24'];
  const body = rows.map(({ label, row: { medians, better: which } }) => {
    const rivals = names.filter((who) => !OUT_OF_CONTEST.includes(who) && medians[who] !== undefined);
    const best = (which === 'less' ? Math.min : Math.max)(...rivals.map((who) => medians[who]));
    const cell = (who) => (medians[who] === best ? `**${number(medians[who])}**` : number(medians[who]));
    const ratio = which === 'less' ? medians.builtin / medians.ours : medians.ours / medians.builtin;
    return [label, ...names.map(cell), Number.isFinite(ratio) ? `${number(ratio)}×` : '–'];
  });
  return tableOf([head, ['---', ...names.map(() => '--:'), '--:'], ...body]);
}

function part(section, data) {
  const rows = rowsOf(section, data);
  if (rows.length === 0) return { text: [], files: {} };
  const name = `charts/${section.id}.svg`;
  const image = section.chart ? [`![${section.title}](${name})`, ''] : [];
  const text = [`## ${section.title}`, '', section.note, '', ...image, ...figures(section, rows), ''];
  return { text, files: section.chart ? { [`docs/${name}`]: chart(section, rows) } : {} };
}

/** The table of the native limit: the published figures, and those of this machine. */
function nativeLimit({ title, note, only }, data) {
  const value = (transport, where, id) => data.rows[`${only} ${transport}${where} ${id}`]?.medians.rust;
  if (value('uds', '', 'latency') === undefined) return [];
  const here = (label, where, id) => [label, ...TRANSPORTS.map((transport) => number(value(transport, where, id)))];
  const published = (label, id) => [label, ...TRANSPORTS.map((transport) => number(PUBLISHED[transport][id]))];
  return [
    `## ${title}`,
    '',
    note,
    '',
    ...tableOf([
      ['', ...TRANSPORTS.map((transport) => transport.toUpperCase())],
      ['---', ...TRANSPORTS.map(() => '--:')],
      here('latency, µs', '', 'latency'),
      here('both on one CPU', '-one-cpu', 'latency'),
      published('published', 'latency'),
      here('throughput, messages/s', '', 'throughput'),
      here('both on one CPU', '-one-cpu', 'throughput'),
      published('published', 'throughput'),
      here('throughput with reads of 64 kB', '', 'large reads'),
    ]),
    '',
  ];
}

function heading({ about }) {
  const doubt = doubtIn('README.md', about);
  const others = Object.keys(CONTESTANTS)
    .filter((who) => about.versions[who] && who !== 'ours' && who !== 'worker')
    .map((who) => about.versions[who]);
  return [
    '# Benchmarks',
    '',
    'Generated from `benchmarks.json` by `npm run bench -- --report`. Do not edit by hand.',
    '',
    ...(doubt ? [doubt, ''] : []),
    `- **Machine**: ${machine(about)}.`,
    `- **Versions**: child-process-rs ${about.version} (${about.commit ?? 'no commit'}) on ${about.versions.ours}; ` +
      `${others.join(', ')}.`,
    `- **Method**: medians over ${about.rounds} round${about.rounds === 1 ? '' : 's'}, ${about.date.slice(0, 10)}. ` +
      'Every trial is a fresh process; the contestants of a case run one after another, starting with a ' +
      'different one each round. Each is the `node:child_process` of its own runtime; ' +
      'child-process-rs runs on Node 24. A wrong answer ends a trial. ' +
      'The metrics are described in [bench/README.md](../bench/README.md).',
    ...about.absent.map(({ name, why }) => `- ${nameOf(name)} does not take part: ${why}.`),
    '',
  ];
}

/** All files of the report, as `{ file: text }`. */
function render(data) {
  const files = {};
  const text = heading(data);
  for (const section of sections) {
    if (section.id === 'limit') {
      text.push(...nativeLimit(section, data));
      continue;
    }
    const one = part(section, data);
    text.push(...one.text);
    Object.assign(files, one.files);
  }
  if (data.failures.length > 0)
    text.push('## Trials that failed', '', ...data.failures.map((failure) => `- ${failure}`), '');
  files['docs/benchmarks.md'] = text.join('\n');
  return files;
}

module.exports = { render };
