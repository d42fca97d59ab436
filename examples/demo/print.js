'use strict';

// The output of the demo. It has colours only in a terminal.

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const style = (on, off) => (text) => (colours ? `\x1b[${on}m${text}\x1b[${off}m` : String(text));

const bold = style(1, 22);
const dim = style(2, 22);
const green = style(32, 39);
const red = style(31, 39);

const milliseconds = (value) => `${value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)} ms`;

function heading(text) {
  console.log(`\n${bold(text)}`);
}

function lines(text, paint = String) {
  for (const line of text.trimEnd().split('\n')) console.log(`  ${paint(line)}`);
}

/** Prints whether a part of the demo has worked. If not, the exit code of the demo is 1. */
function verdict(ok, text) {
  console.log(`  ${ok ? green('✓') : red('✗')} ${text}`);
  if (!ok) process.exitCode = 1;
}

module.exports = { dim, green, heading, lines, milliseconds, red, verdict };
