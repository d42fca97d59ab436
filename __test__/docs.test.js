'use strict';

// Every code block of the documentation runs and prints what it says; what __test__/helpers/markdown.js reads marks the
// few that do not. The blocks of one file run one after the other in a folder of their own, where the package is
// installed.

const test = require('ava');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { DATA, documentOf } = require('../bench/document');
const { codeBlocks, skeleton } = require('./helpers/markdown');

const ROOT = path.resolve(__dirname, '..');
const TIMEOUT = 60_000;

const inFolder = (folder) =>
  fs
    .readdirSync(path.join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(folder, name));

const DOCUMENTS = ['.', 'docs', 'docs/zh-CN', 'docs/decisions', 'bench'].flatMap(inFolder);
const read = (document) => fs.readFileSync(path.join(ROOT, document), 'utf8');

// How a block of each language runs, once it is in `file`.
const RUN = {
  js: (file) => [process.execPath, file],
  mjs: (file) => [process.execPath, file],
  sh: (file) => ['bash', '-eu', file],
  bash: (file) => ['bash', '-eu', file],
  python: (file) => ['python3', file],
};
// Shown, not run: what programs print, and what goes over the wire.
const SHOWN = ['text', 'json', 'rust'];

function folderWithPackage(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'docs-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(ROOT, path.join(folder, 'node_modules/child-process-rs'));
  return folder;
}

function run([file, ...args], cwd) {
  return new Promise((resolve, reject) => {
    // `node` in a block is the Node that runs the tests.
    const PATH = `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`;
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, PATH, NODE_OPTIONS: '' },
      timeout: TIMEOUT,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let all = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      all += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      all += text;
    });
    child.stdin.end();
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ stdout, all, code, signal }));
  });
}

function checkMarks(t, { language, words, name }, where) {
  t.true(language in RUN || SHOWN.includes(language), `${where}: a block of the language "${language}"`);
  t.true(
    words.every((word) => word === 'file' || word === 'not-run'),
    `${where}: ${words.join(' ')}`,
  );
  if (words.includes('file')) t.truthy(name, `${where}: the first line of a file is its name`);
}

for (const document of DOCUMENTS) {
  const blocks = codeBlocks(read(document));
  if (blocks.length === 0) continue;
  test(`the code in ${document} runs`, async (t) => {
    const folder = folderWithPackage(t);
    for (const block of blocks) {
      const { language, words, line, code, name = `line-${line}.${language}`, printed } = block;
      const where = `${document}:${line}`;
      checkMarks(t, block, where);
      fs.writeFileSync(path.join(folder, name), code);
      if (words.length > 0 || !(language in RUN)) continue;
      const { stdout, all, code: exitCode, signal } = await run(RUN[language](name), folder);
      t.is(exitCode, 0, `${where} ended with ${signal ?? exitCode}:\n${all}`);
      if (printed.length > 0) t.deepEqual(stdout.trimEnd().split('\n'), printed, `${where} printed something else`);
    }
  });
}

const TRANSLATIONS = { 'README.md': 'README.zh-CN.md' };
for (const name of inFolder('docs/zh-CN')) TRANSLATIONS[`docs/${path.basename(name)}`] = name;

for (const [english, chinese] of Object.entries(TRANSLATIONS)) {
  test(`${chinese} is ${english} in Chinese: the same headings, lists, links and code`, (t) => {
    // Each README links to the other, and each to documents in its language.
    const linksIn = ({ links }) =>
      links.filter((link) => !/^README/.test(link)).map((link) => link.replace('docs/zh-CN/', 'docs/'));
    const shapeOf = (file) => {
      const shape = skeleton(read(file));
      return { ...shape, links: linksIn(shape).sort() };
    };
    t.deepEqual(shapeOf(chinese), shapeOf(english));
  });
}

test('the benchmark report, its charts and the figures in the READMEs are what was measured', (t) => {
  const files = documentOf(JSON.parse(fs.readFileSync(DATA, 'utf8')));
  for (const [file, text] of Object.entries(files))
    t.is(read(file), text, `${file}: npm run bench -- --report --render writes it again`);
  const charts = fs.readdirSync(path.join(ROOT, 'docs/charts')).map((name) => `docs/charts/${name}`);
  t.deepEqual(
    charts.sort(),
    Object.keys(files)
      .filter((file) => file.endsWith('.svg'))
      .sort(),
  );
});

test('the documentation links to files that are there', (t) => {
  for (const document of DOCUMENTS) {
    for (const [, target] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:|^#/.test(target)) continue;
      const file = path.join(ROOT, path.dirname(document), target.replace(/#.*$/, ''));
      t.true(fs.existsSync(file), `${document} links to ${target}`);
    }
  }
});
