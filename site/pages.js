// Copies the documents of the repository into pages/, where VitePress builds the site from them, and turns their links
// into links between pages.

import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
const OUT = path.join(import.meta.dirname, 'pages');

const markdownIn = (folder) =>
  fs
    .readdirSync(path.join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.posix.join(folder, name));

/** By document, the page that it becomes. */
const pages = {
  'README.md': 'index.md',
  'README.zh-CN.md': 'zh-CN/index.md',
  'CONTRIBUTING.md': 'contributing.md',
  'CHANGELOG.md': 'changelog.md',
  'bench/README.md': 'bench.md',
};
for (const folder of ['docs', 'docs/decisions', 'docs/zh-CN']) {
  for (const file of markdownIn(folder)) pages[file] = path.posix.relative('docs', file);
}

/** Where a link of `document` leads on the site. Links to other sites and within a page stay as they are. */
function linkFrom(document, link) {
  if (/^[a-z]+:|^#/.test(link)) return link;
  const [file, anchor] = link.split('#');
  const target = path.posix.join(path.posix.dirname(document), file).replace(/\/$/, '');
  const page =
    target === 'docs/decisions' ? 'decisions/index.md' : (pages[target] ?? path.posix.relative('docs', target));
  return `/${page}${anchor ? `#${anchor}` : ''}`;
}

const titleOf = (text) => /^# (.+)$/m.exec(text)[1];

function write(page, text) {
  const file = path.join(OUT, page);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

fs.rmSync(OUT, { recursive: true, force: true });
for (const [document, page] of Object.entries(pages)) {
  const text = fs.readFileSync(path.join(ROOT, document), 'utf8');
  write(
    page,
    text.replace(/\]\(([^)\s]+)\)/g, (_, link) => `](${linkFrom(document, link)})`),
  );
}
fs.cpSync(path.join(ROOT, 'docs/charts'), path.join(OUT, 'charts'), { recursive: true });

const decisions = markdownIn('docs/decisions').map((file) => {
  const title = titleOf(fs.readFileSync(path.join(ROOT, file), 'utf8'));
  return `- [${title}](/${pages[file]})`;
});
write(
  'decisions/index.md',
  `# Decisions\n\nWhy things are as they are, with the measurements.\n\n${decisions.join('\n')}\n`,
);
