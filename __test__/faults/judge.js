'use strict';

// What may come of an operation during which a call fails: all of it, or an error with a code; and in either case
// nothing is left, and the same operation succeeds afterwards.

const { isDeepStrictEqual } = require('node:util');
const { isCode } = require('./codes');

const REPORTED_BY_PEER = 7;

const of = (events, kind) => events.filter(([name]) => name === kind).map(([, ...values]) => values);
const shown = (events) => JSON.stringify(events);

/** Whether the error that the peer died of has been told: by its exit code, or as Node does where nobody catches it. */
const toldByPeer = ([code], stderr) =>
  code === REPORTED_BY_PEER || (code === 1 && isCode(/code: '(\w+)'/.exec(stderr)?.[1]));

// After an error a child may have an end that nobody knows, or a negative errno for one as it was never started, or
// the one that we put to it.
const isNoEnd = ([code, signal], errors) =>
  errors.length > 0 && (code === null ? [null, 'SIGKILL'].includes(signal) : code < 0);

function* wrongExits(events, expected, { forks }) {
  const stderr = of(events, 'stderr').flat().join('');
  for (const exit of of(events, 'exit')) {
    const isExpected = of(expected, 'exit').some((each) => isDeepStrictEqual(each, exit));
    if (isExpected || isNoEnd(exit, of(events, 'error')) || (forks && toldByPeer(exit, stderr))) continue;
    yield `the exit is ${shown(exit)}`;
  }
}

function* wrongData(events, expected) {
  const awaited = of(expected, 'message');
  // An error may stand for one of them; the others come, in order.
  const strange = of(events, 'message').filter((message) => {
    const place = awaited.findIndex((each) => isDeepStrictEqual(each, message));
    awaited.splice(0, place + 1);
    return place === -1;
  });
  if (strange.length > 0) yield `unexpected: ${shown(strange)}`;
  for (const kind of ['stdout', 'client']) {
    const wanted = of(expected, kind).flat();
    const wrong = of(events, kind)
      .flat()
      .filter((text, i) => !wanted[i]?.startsWith(text));
    if (wrong.length > 0) yield `${kind} is ${shown(wrong)}`;
  }
}

function* wrongErrors(events, { forks }) {
  const errors = of(events, 'error');
  for (const [code, , message] of errors) if (!isCode(code)) yield `an error without a code: ${message}`;
  for (const [, stack] of of(events, 'uncaught')) yield `uncaught: ${stack.split('\n')[0]}`;
  const stderr = of(events, 'stderr').flat().join('');
  const isTold = errors.length > 0 || (forks && of(events, 'exit').some((exit) => toldByPeer(exit, stderr)));
  if (!isTold) yield `neither success nor an error: ${shown(events)}`;
}

/** What is wrong with a run in which a call has failed; nothing where it succeeded all the same. */
function* wrongWithFault(events, operation) {
  if (isDeepStrictEqual(events, operation.events)) return;
  yield* wrongErrors(events, operation);
  yield* wrongExits(events, operation.events, operation);
  yield* wrongData(events, operation.events);
}

/** What is wrong: one line each, none where all is well. */
function judge(operation, { report, code, signal, stderr }) {
  const panic = /panicked at.*\n?.*/.exec(stderr);
  if (panic) return [`a panic: ${panic[0].replace('\n', ' ')}`];
  if (!report || code !== 0) return [`the process ended with ${code ?? signal}: ${stderr.trim().slice(0, 200)}`];
  if (report.broken) return [`the operation broke: ${report.broken}`];
  const [first, second] = report.runs;
  if (report.hung) return [`hung after ${shown(second ?? first)}, with ${shown(report.left)}`];
  const wrong = [...wrongWithFault(first, operation)];
  if (!isDeepStrictEqual(second, operation.events)) wrong.push(`afterwards: ${shown(second)}`);
  if (report.excess.length > 0) wrong.push(`left behind: ${report.excess.join(', ')}`);
  return wrong;
}

module.exports = { judge };
