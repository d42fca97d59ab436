'use strict';

// How a trial's process hands its result to the runner: a line of stdout, so that any language can do it.

const MARK = '@bench ';

/** The value of the first complete report line in `text`, or undefined. */
function parseReport(text) {
  const start = text.startsWith(MARK) ? 0 : text.indexOf(`\n${MARK}`) + 1;
  if (!text.startsWith(MARK, start)) return undefined;
  const end = text.indexOf('\n', start);
  return end === -1 ? undefined : JSON.parse(text.slice(start + MARK.length, end));
}

module.exports = { MARK, parseReport };
