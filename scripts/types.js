'use strict';

// Generates native.d.ts from the Rust code: from napi-derive's type definitions of the exported functions,
// and from the TypeScript blocks (```ts) in the doc comments of src/, which declare further types.

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const FILE = path.join(ROOT, 'native.d.ts');
const HEAD = `/// <reference types="node" />

// The exports of the addon. Generated from the Rust code by \`npm run build\` (scripts/types.js).
`;

/** The blocks of TypeScript in the documentation of a Rust file. */
function blocksOf(source) {
  const blocks = source.matchAll(/^ *\/\/[/!] ```ts\n([^]*?)^ *\/\/[/!] ```$/gm);
  return Array.from(blocks, ([, lines]) => lines.replaceAll(/^ *\/\/[/!] ?/gm, ''));
}

/** Documentation in Rust's form, in JavaScript's. */
function documentation(text) {
  return text
    .replaceAll(/^ \* ```ts\n[^]*?^ \* ```\n/gm, '')
    .replaceAll(/ \* \n( \* )# Errors\n \* /g, '$1@throws ')
    .replaceAll(/( \* \n)+(?= \*\/)/g, '')
    .replaceAll(/^ \* $/gm, ' *');
}

/** What a line of napi-derive's declares. */
function declaration({ kind, name, def, js_doc: doc }) {
  if (kind !== 'fn') throw new Error(`${name} is a ${kind}, which scripts/types.js does not know how to declare`);
  return `${documentation(doc)}export ${def};\n`;
}

/** Writes native.d.ts, where napi-derive has left something in `folder`: cargo had to compile. */
function writeTypes(folder) {
  const [told] = fs.readdirSync(folder);
  if (told === undefined) return;
  const lines = fs.readFileSync(path.join(folder, told), 'utf8').trim().split('\n');
  const parts = lines.map((line) => JSON.parse(line));
  const sources = fs.readdirSync(path.join(ROOT, 'src'), { recursive: true }).filter((file) => file.endsWith('.rs'));
  const blocks = sources.sort().flatMap((file) => blocksOf(fs.readFileSync(path.join(ROOT, 'src', file), 'utf8')));
  fs.writeFileSync(FILE, [HEAD, ...blocks, ...parts.map(declaration)].join('\n'));
}

module.exports = { writeTypes };
