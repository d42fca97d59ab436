'use strict';

// The builtin's children and ours in one process: each is reaped by its own, none takes the other's exit.

const test = require('ava');
const builtin = require('node:child_process');
const { once } = require('node:events');

const { countZombies, ending, until } = require('../helpers/settle');
const { OURS } = require('../parity/harness');

const ours = require(OURS);

test.serial('side by side, each gets its own exit code', async (t) => {
  const all = [];
  for (let i = 0; i < 60; i++) {
    const { spawn } = i % 2 === 0 ? ours : builtin;
    all.push(ending(() => spawn('sh', ['-c', `exit ${i}`], { stdio: i % 3 === 0 ? 'ignore' : 'pipe' })));
  }
  const endings = await Promise.all(all);
  t.deepEqual(
    endings.map(({ code }) => code),
    Array.from({ length: 60 }, (_, i) => i),
  );
  t.true(await until(() => countZombies() === 0));
});

test.serial('killed side by side', async (t) => {
  const children = [ours, builtin, ours, builtin].map(({ spawn }) => spawn('sleep', ['10'], { stdio: 'ignore' }));
  const endings = children.map((child) => once(child, 'exit'));
  children.forEach((child, i) => child.kill(i < 2 ? 'SIGKILL' : 'SIGTERM'));
  t.deepEqual(await Promise.all(endings), [
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
    [null, 'SIGTERM'],
    [null, 'SIGTERM'],
  ]);
  t.true(await until(() => countZombies() === 0));
});

test.serial('execSync and spawnSync while children of ours end', async (t) => {
  const children = Array.from({ length: 8 }, (_, i) =>
    ending(() => ours.spawn('sh', ['-c', `sleep 0.05; exit ${i}`], { stdio: 'ignore' })),
  );
  t.is(String(builtin.execSync('sleep 0.1; echo sync')), 'sync\n');
  t.is(builtin.spawnSync('sh', ['-c', 'exit 9']).status, 9);
  t.deepEqual(
    (await Promise.all(children)).map(({ code }) => code),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

test.serial('pipes between a child of the builtin and one of ours', async (t) => {
  for (const [from, to] of [
    [ours, builtin],
    [builtin, ours],
  ]) {
    const reader = to.spawn('tr', ['a-z', 'A-Z']);
    const writer = from.spawn('echo', ['shout'], { stdio: ['ignore', reader.stdin, 'inherit'] });
    let text = '';
    reader.stdout.on('data', (data) => {
      text += data;
    });
    await once(writer, 'exit');
    reader.stdin.end();
    await once(reader, 'close');
    t.is(text, 'SHOUT\n');
  }
});

test.serial('a listener of SIGCHLD stays in place', async (t) => {
  let heard = 0;
  const onSignal = () => {
    heard += 1;
  };
  process.on('SIGCHLD', onSignal);
  t.deepEqual(await ending(() => ours.spawn('true', { stdio: 'ignore' })), { code: 0, signal: null });
  t.deepEqual(await ending(() => builtin.spawn('true', { stdio: 'ignore' })), { code: 0, signal: null });
  t.true(await until(() => heard > 0));
  process.off('SIGCHLD', onSignal);
  t.deepEqual(await ending(() => ours.spawn('true', { stdio: 'ignore' })), { code: 0, signal: null });
});

test.serial('fork, exec and execFile of the builtin go on working', async (t) => {
  const [exec, execFile] = await Promise.all([
    new Promise((resolve) => builtin.exec('echo exec', (error, stdout) => resolve([error, stdout]))),
    new Promise((resolve) => builtin.execFile('false', (error) => resolve(error.code))),
    ending(() => ours.spawn('true')),
  ]);
  t.deepEqual(exec, [null, 'exec\n']);
  t.is(execFile, 1);
});
