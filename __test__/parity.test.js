'use strict'

// The main test of behaviour: every scenario under the builtin of this very Node and under ours, everything compared.
// PARITY_SUBJECT names another module to compare with, PARITY_TOPIC (a substring) narrows the run. fork() and the channel, in every
// pairing of ends, take minutes: they run where PARITY_CHANNEL is set (`npm run test:channel`).

const test = require('ava')
const path = require('node:path')

const { register, topics } = require('./parity/harness')

const wanted = process.env.PARITY_TOPIC ?? ''

const isOfChannel = (topic) => /^(fork|channel)-/.test(path.basename(topic))

for (const topic of topics()) {
  if (!path.basename(topic).includes(wanted)) continue
  if (isOfChannel(topic) === Boolean(process.env.PARITY_CHANNEL)) register(test, topic)
}
