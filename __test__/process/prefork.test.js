'use strict';

// examples/prefork-server under load: all workers serve, and a crash takes with it only what the worker held.

const test = require('ava');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');

const SERVER = path.join(__dirname, '../../examples/prefork-server/server.js');
const WORKERS = 3;
const CLIENTS = 16;
const REQUESTS = 900;
const CRASHES = 3;

async function serve(t, mode) {
  const child = spawn(process.execPath, [SERVER, mode, String(WORKERS)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { child, url: /http:\S+/.exec(line)[0] };
}

/** Resolves with the body, or with the code of the error. */
function get(url) {
  return new Promise((resolve) => {
    http
      .get(url, { agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => resolve(text)).on('error', ({ code }) => resolve(code));
      })
      .on('error', ({ code }) => resolve(code));
  });
}

/** That many requests by some clients at a time; `crash` says before which of them a worker is to be killed. */
async function load(url, crash = () => false) {
  const answers = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (next < REQUESTS) {
        if (crash(next++)) get(`${url}/crash`);
        answers.push(await get(url));
      }
    }),
  );
  return answers;
}

const isAnswer = (answer) => /^\d+\n$/.test(answer);

for (const mode of ['accept', 'shared']) {
  test.serial(
    `a prefork server answers every request, and loses only what a worker held that crashes (${mode})`,
    async (t) => {
      const { child, url } = await serve(t, mode);
      const calm = await load(url);
      t.is(calm.filter(isAnswer).length, REQUESTS);
      // In the other mode the kernel decides who gets a connection.
      if (mode === 'accept') t.is(new Set(calm).size, WORKERS);

      const step = REQUESTS / (CRASHES + 1);
      const stormy = await load(url, (i) => i > 0 && i % step === 0 && i < REQUESTS - 1);
      const lost = stormy.filter((answer) => !isAnswer(answer));
      t.log(`${lost.length} of ${REQUESTS} lost with ${CRASHES} workers`);
      t.true(lost.length <= CRASHES * CLIENTS, String(lost));
      const after = await load(url);
      t.is(after.filter(isAnswer).length, REQUESTS);

      child.kill('SIGTERM');
      t.deepEqual(await once(child, 'exit'), [0, null]);
    },
  );
}
