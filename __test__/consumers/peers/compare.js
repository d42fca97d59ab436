'use strict';

// The table "Comparison" in docs/promises.md has to say what the contestants do: rows.mjs tries the cells, in the
// runtime of each.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { text } = require('node:stream/consumers');

const { ROOT, bun, deno } = require('../../../scripts/peers');

const LIMIT_MS = 120_000;
// By the titles of the columns.
const CONTESTANTS = {
  'child-process-rs': { name: 'ours' },
  'execa': { name: 'execa' },
  'zx': { name: 'zx' },
  'nano-spawn': { name: 'nano' },
  "Bun's `$`": { name: 'bun', fetch: bun },
  '`Deno.Command`': { name: 'deno', fetch: deno, flags: ['run', '-A'] },
};

/** The section's first lines, and the cells of each column by the titles of the rows. */
function readDocument() {
  const [, section] = fs.readFileSync(path.join(ROOT, 'docs/promises.md'), 'utf8').split('\n## Comparison\n');
  const [intro, table] = section.split(/^(\|[^]*?)\n\n/m);
  const [[, ...titles], , ...rows] = table.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const columns = titles.map((title, i) => [title, Object.fromEntries(rows.map(([row, ...cells]) => [row, cells[i]]))]);
  return { intro, columns: Object.fromEntries(columns) };
}

/** What contestant.mjs prints. */
async function ask(name, [file, ...args], project) {
  const script = path.join(project, 'peers/contestant.mjs');
  const TMPDIR = fs.mkdtempSync(path.join(project, 'peers/'));
  const child = spawn(file, [...args, script, name], {
    cwd: project,
    env: { ...process.env, TMPDIR, NODE_OPTIONS: '', FORCE_COLOR: '0' },
    // A standard input to be told from a pipe and from the null device.
    stdio: [fs.openSync(script), 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (!stdout.startsWith('{')) throw new Error(`contestant.mjs ${name} failed:\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

async function compareOne(title, { intro, columns }, { node, project }) {
  const { name, fetch, flags = [] } = CONTESTANTS[title];
  const { cells, tried, runtime } = await ask(name, [fetch ? await fetch() : node, ...flags], project);
  const version = runtime ?? require(path.join(project, 'node_modules', title, 'package.json')).version;
  const written = columns[title] ?? {};
  const wrong = [...new Set([...Object.keys(written), ...Object.keys(cells)])]
    .filter((row) => written[row] !== cells[row])
    .map((row) => `${row}: the table says "${written[row]}", it is "${cells[row]}"`);
  // Bun and Deno are those that .cache holds.
  const release = `${title} ${/^\d+\.\d+/.exec(version)}`;
  if (!fetch && name !== 'ours' && !intro.includes(release)) wrong.push(`the document does not name ${release}`);
  return { what: `${version}, ${tried} of ${Object.keys(cells).length} cells tried`, wrong };
}

/** Prints a line for each contestant; whether the document is right. `project`: what they are installed in. */
async function compare(where) {
  const document = readDocument();
  const all = Object.keys(CONTESTANTS).map(async (title) => {
    const { what, wrong } = await compareOne(title, document, where).catch(({ message }) => ({ wrong: [message] }));
    const line = `docs/promises.md beside ${title} ${what}`;
    console.log(wrong.length > 0 ? `  ✘ [fail]: ${line}\n${wrong.join('\n')}` : `  ✔ ${line}`);
    return wrong.length === 0;
  });
  return (await Promise.all(all)).every(Boolean);
}

module.exports = { compare };
