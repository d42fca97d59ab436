'use strict';

// For the one who is looking for a difference: `node __test__/parity/differences.js [topic [part of a scenario's
// name]]` prints, scenario by scenario, only the places where the two sides differ, the builtin's value first.

const path = require('node:path');
const { isDeepStrictEqual } = require('node:util');

const { compare, topics, worse } = require('./harness');

const [wantedTopic = '', wantedName = ''] = process.argv.slice(2);

function* leaves(theirs, ours, trail = []) {
  // What a child did is read as a whole: one event more shifts all that follow.
  if (['events', 'streams'].includes(trail.at(-1)) && !isDeepStrictEqual(theirs, ours)) {
    yield { trail, theirs, ours };
    return;
  }
  const bothObjects = [theirs, ours].every((side) => side !== null && typeof side === 'object');
  if (!bothObjects) {
    if (!Object.is(theirs, ours)) yield { trail, theirs, ours };
    return;
  }
  const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  for (const key of keys) yield* leaves(theirs[key], ours[key], [...trail, key]);
}

function withoutWhatMayBeLeft(theirs, ours) {
  if (!ours.left || !theirs.left) return [theirs, ours];
  return [
    { ...theirs, left: {} },
    { ...ours, left: worse(ours.left, theirs.left) },
  ];
}

function show(value) {
  const text = (JSON.stringify(value) ?? '(missing)')
    .replace(/,\{"exitCode":[^}]*\}/g, '')
    .replace(/"(error|name|string|own|stack \(hidden\)|message \(hidden\))":/g, '$1: ');
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

async function main() {
  let differing = 0;
  for (const topic of topics()) {
    if (!path.basename(topic, '.js').includes(wantedTopic)) continue;
    for await (const { label, name, theirs, ours } of compare(topic, (one) => one.includes(wantedName))) {
      const found = [...leaves(...withoutWhatMayBeLeft(theirs, ours))];
      if (found.length === 0) continue;
      differing += 1;
      console.log(`\n${label}: ${name}`);
      for (const { trail, theirs: expected, ours: actual } of found) {
        console.log(`  ${trail.join(' › ')}\n    builtin ${show(expected)}\n    ours    ${show(actual)}`);
      }
    }
  }
  console.log(`\n${differing} scenarios differ`);
  process.exitCode = differing === 0 ? 0 : 1;
}

main();
