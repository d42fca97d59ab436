'use strict';

// What the first versions of Node 20 do not have is not needed.

const test = require('ava');

const { valueFromNode } = require('../helpers/run-node');
const { OURS } = require('../parity/harness');

// Node has addAbortListener() since 20.5.
const ABORT = `
  delete require('node:events').addAbortListener;
  const { spawn } = require(${JSON.stringify(OURS)});
  const controller = new AbortController();
  const { signal } = controller;
  const events = [];
  const first = spawn('true', { signal });
  first.on('error', () => events.push('error after the end'));
  first.on('close', () => {
    const second = spawn('sleep', ['100'], { signal });
    second.on('error', ({ name }) => events.push(name));
    second.on('exit', (code, by) => events.push(by));
    second.on('close', () => console.log(JSON.stringify(events)));
    controller.abort();
  });
`;

test('a signal aborts a child without addAbortListener(), and only one that runs', async (t) => {
  t.deepEqual(await valueFromNode(['-e', ABORT]), ['AbortError', 'SIGTERM']);
});
