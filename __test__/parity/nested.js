'use strict';

// A scenario in a process of its own: `node nested.js <who is at the ends, as JSON> <script> <dir> <argument>`. What it
// observed goes to descriptor 3, so that stdout and stderr are free for the scenario. The process ends when its loop
// has nothing left.

const fs = require('node:fs');

const { Context } = require('./context');
const { withChildEnd } = require('./pairings');

const [ends, script, dir, argument] = process.argv.slice(2);
const { subject, childEnd, serialization } = JSON.parse(ends);
const warnings = [];
process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }));

const cp = withChildEnd(require(subject), childEnd);
const t = new Context({ cp, dir, subject, childEnd, serialization });
let reported = false;

function report(outcome) {
  if (reported) return;
  reported = true;
  fs.writeSync(3, JSON.stringify(t.finish(t.describe({ ...outcome, log: t.entries, warnings }))));
}

process.once('exit', () => report({ ended: 'before the scenario was over' }));
Promise.resolve()
  .then(() => require(script)(cp, t, JSON.parse(argument)))
  .then(
    (observed) => report({ observed }),
    (error) => report({ failed: error }),
  );
