'use strict';

// Charts as SVG texts that look right on light and dark pages: each brings its own background, and its colours follow
// the reader's preference. Plain rules instead of CSS variables, which not every viewer of SVG knows.

const WIDTH = 760;

// By contestant: colour on light, on dark, and how its line is dashed.
const LOOKS = {
  ours: ['#c4320a', '#ff8a5c', ''],
  node20: ['#7ba3d0', '#5b8bc4', '2 3'],
  node22: ['#5089c6', '#5f93d6', '6 3'],
  builtin: ['#1f5fae', '#79b0ff', ''],
  node26: ['#123f78', '#b3d1ff', '10 3 2 3'],
  bun: ['#8a3ffc', '#c9a2ff', ''],
  deno: ['#1a7f37', '#56d364', ''],
  tokio: ['#57606a', '#9aa4af', '1 4'],
};

const rule = (who, color) => `.${who}{fill:${color};stroke:${color}}`;
const rules = (which) =>
  Object.entries(LOOKS)
    .map(([who, look]) => rule(who, look[which]))
    .join('');

// The rule for lines comes last: those of the contestants would fill them.
const STYLE = `<style>
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1f2328}
text.name{stroke:none}.title{font-size:15px;font-weight:600}text.strong{font-weight:600}
.quiet{fill:#59636e}.page{fill:#fff}.grid{stroke:#d1d9e0}
${rules(0)}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.quiet{fill:#9198a1}.page{fill:#0d1117}.grid{stroke:#3d444d}
${rules(1)}
}
.line{fill:none;stroke-width:2}.line.strong{stroke-width:3.5}
</style>`;

const escape = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const at = (value) => Number(value.toFixed(1));

function text(x, y, words, { anchor = 'start', classes = '' } = {}) {
  const style = classes && ` class="${classes}"`;
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}"${style}>${escape(words)}</text>`;
}

function page(height, title, subtitle, body) {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"` +
      ` role="img" aria-label="${escape(title)}">`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(16, 26, title, { classes: 'title' }),
    text(16, 45, subtitle, { classes: 'quiet' }),
    ...body,
    '</svg>',
  ].join('\n')}\n`;
}

/** A scale from values to pixels; `ticks` are the values to draw lines at. */
function logScale([low, high], [from, to]) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  return { ticks, place: (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from) };
}

function linearScale(values, [from, to]) {
  const high = Math.max(...values);
  return { ticks: values, place: (value) => from + (value / high) * (to - from) };
}

/** Moves labels apart that would lie on one another, keeping their order. */
function spread(labels, distance, bottom) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  for (let i = 1; i < sorted.length; i += 1) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + distance);
  const over = sorted.length > 0 ? Math.max(0, sorted.at(-1).y - bottom) : 0;
  for (let i = sorted.length - 1; i >= 0 && over > 0; i -= 1) {
    sorted[i].y = Math.min(sorted[i].y, (sorted[i + 1]?.y ?? bottom + distance) - distance);
  }
  return sorted;
}

/** `series`: `{ who, name, points: [[x, y], …] }`; y is logarithmic. `xTicks`: `[[x, label], …]`. */
function lines({ title, subtitle, xLabel, xTicks, isLogX, series, format }) {
  const [left, right, top, bottom] = [70, WIDTH - 150, 66, 352];
  const xs = xTicks.map(([x]) => x);
  const x = isLogX ? logScale([Math.min(...xs), Math.max(...xs)], [left, right]) : linearScale(xs, [left, right]);
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y));
  const y = logScale([Math.min(...ys), Math.max(...ys)], [bottom, top]);
  const body = [
    ...y.ticks.flatMap((tick) => [
      `<path class="grid" d="M${left} ${at(y.place(tick))}H${right}"/>`,
      text(left - 8, y.place(tick) + 4, format(tick), { anchor: 'end', classes: 'quiet' }),
    ]),
    ...xTicks.map(([tick, label]) => text(x.place(tick), bottom + 20, label, { anchor: 'middle', classes: 'quiet' })),
    text((left + right) / 2, bottom + 40, xLabel, { anchor: 'middle', classes: 'quiet' }),
  ];
  const labels = [];
  for (const { who, name, points } of series) {
    const places = points.map(([px, py]) => [at(x.place(px)), at(y.place(py))]);
    const corners = places.map((place) => place.join(',')).join(' ');
    const strong = who === 'ours' ? ' strong' : '';
    const dashes = LOOKS[who][2] || 'none';
    body.push(`<polyline class="${who} line${strong}" stroke-dasharray="${dashes}" points="${corners}"/>`);
    body.push(...places.map(([px, py]) => `<circle class="${who}" cx="${px}" cy="${py}" r="${strong ? 4 : 2.5}"/>`));
    labels.push({ who, name, strong, y: places.at(-1)[1] + 4 });
  }
  body.push(
    ...spread(labels, 15, bottom).map(({ who, name, strong, y: py }) =>
      text(right + 12, py, name, { classes: `name ${who}${strong}` }),
    ),
  );
  return page(bottom + 56, title, subtitle, body);
}

/** `groups`: `{ label, bars: [{ who, name, value }, …] }`, all to one scale. */
function bars({ title, subtitle, groups, format }) {
  const [left, right, row] = [150, WIDTH - 80, 19];
  const most = Math.max(...groups.flatMap((group) => group.bars.map(({ value }) => value)));
  const body = [];
  let y = 66;
  for (const group of groups) {
    body.push(text(16, y + 10, group.label, { classes: 'strong' }));
    y += 20;
    for (const { who, name, value } of group.bars) {
      const width = Math.max(1, ((right - left) * value) / most);
      const strong = who === 'ours' ? 'strong' : '';
      body.push(text(left - 8, y + 11, name, { anchor: 'end', classes: strong || 'quiet' }));
      body.push(
        `<rect class="${who}" stroke-width="0" x="${left}" y="${y}" width="${at(width)}" height="${row - 5}"/>`,
      );
      body.push(text(left + width + 6, y + 11, format(value), { classes: strong }));
      y += row;
    }
    y += 12;
  }
  return page(y + 4, title, subtitle, body);
}

module.exports = { bars, lines };
