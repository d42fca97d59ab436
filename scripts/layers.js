#!/usr/bin/env node
'use strict';

// Checks the layers as CONTRIBUTING.md states them, as far as no compiler and no linter does: `node scripts/layers.js`.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

// What knows no JavaScript, and uses nothing of ours that does.
const PLAIN = ['backoff', 'background', 'capture', 'channel', 'launch', 'process', 'sys'];

const MOST_LINES = 400;

const moduleOf = (file) => /^src\/(\w+)/.exec(file)?.[1];

const isTest = (file) => /(^|\/)tests(\/|\.rs$)/.test(file);

const RULES = [
  {
    says: `knows no N-API: ${PLAIN.join(', ')}`,
    isFor: (file) => PLAIN.includes(moduleOf(file)),
    isBroken: (line) => /\bnapi\w*/.test(line),
  },
  {
    says: 'plain modules use plain modules only',
    isFor: (file) => PLAIN.includes(moduleOf(file)),
    isBroken: (line) => [...line.matchAll(/\bcrate::(\w+)/g)].some(([, used]) => !PLAIN.includes(used)),
  },
  {
    says: 'only src/sys/ asks which system it is compiled for',
    isFor: (file) => file.startsWith('src/') && moduleOf(file) !== 'sys' && !isTest(file),
    isBroken: (line) => /\btarget_(os|family|vendor)\b|\bcfg!?\((unix|windows)\)/.test(line),
  },
];

const withoutComment = (line) => line.replace(/\/\/.*/, '');

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => /\.(rs|m?js|ts|c|h)$/.test(file) && fs.existsSync(path.join(root, file)));

const broken = [];
for (const file of files) {
  const lines = fs.readFileSync(path.join(root, file), 'utf8').trimEnd().split('\n');
  if (lines.length > MOST_LINES) broken.push(`${file}: ${lines.length} lines, at most ${MOST_LINES}`);
  const rules = file.endsWith('.rs') ? RULES.filter((rule) => rule.isFor(file)) : [];
  for (const [index, line] of lines.entries()) {
    for (const rule of rules) {
      if (rule.isBroken(withoutComment(line))) broken.push(`${file}:${index + 1}: ${rule.says}`);
    }
  }
}

for (const line of broken) console.error(line);
console.log(`${files.length} files, ${broken.length} broken rules`);
process.exitCode = broken.length === 0 ? 0 : 1;
