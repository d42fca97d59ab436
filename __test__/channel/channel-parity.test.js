'use strict';

// fork() and the channel compared with the builtin's: every scenario in the pairings of ends and the serializations in
// which it can show something. PARITY_TOPIC and PARITY_PAIRING (substrings) narrow the run.

const test = require('ava');
const path = require('node:path');

const { isOfChannel, register, topics } = require('../parity/harness');

const wanted = process.env.PARITY_TOPIC ?? '';

for (const topic of topics()) {
  if (isOfChannel(topic) && path.basename(topic).includes(wanted)) register(test, topic);
}
