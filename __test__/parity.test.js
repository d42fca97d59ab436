'use strict';

// The main test of behaviour: every scenario under the builtin of this very Node and under ours, everything compared.
// PARITY_SUBJECT names another module to compare with, PARITY_TOPIC (a substring) narrows the run. fork() and the
// channel are in channel-parity.test.js.

const test = require('ava');
const path = require('node:path');

const { isOfChannel, register, topics } = require('./parity/harness');

const wanted = process.env.PARITY_TOPIC ?? '';

for (const topic of topics()) {
  if (!isOfChannel(topic) && path.basename(topic).includes(wanted)) register(test, topic);
}
