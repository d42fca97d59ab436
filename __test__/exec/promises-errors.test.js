'use strict';

// child-process-rs/promises: commands that fail, or do not start.

const test = require('ava');

const { both, rejected, thrown } = require('../helpers/both');

both(test, 'a failing command rejects', async (t, { CommandError, exec }) => {
  const error = await rejected(exec('echo out; echo err >&2; exit 3'));
  t.true(error instanceof CommandError && error instanceof Error);
  const { name, message, shortMessage, exitCode, signal, failed, isTerminated, stdout, stderr, code } = error;
  t.deepEqual(
    { name, message, shortMessage, exitCode, signal, failed, isTerminated, stdout, stderr, code },
    {
      name: 'CommandError',
      message: 'Command failed with exit code 3: echo out; echo err >&2; exit 3\nerr',
      shortMessage: 'Command failed with exit code 3: echo out; echo err >&2; exit 3',
      exitCode: 3,
      signal: null,
      failed: true,
      isTerminated: false,
      stdout: 'out',
      stderr: 'err',
      code: undefined,
    },
  );
  t.deepEqual(
    Object.keys(await exec('true')).filter((name) => !Object.hasOwn(error, name)),
    [],
  );
});

both(test, 'the stack of an error has the functions that wait for the command', async (t, { execFile }) => {
  async function waitsForIt() {
    return await execFile('false');
  }
  const { stack, message } = await rejected(waitsForIt());
  t.true(stack.startsWith(`CommandError: ${message}\n    at `), stack);
  t.regex(stack, /at async waitsForIt .*promises-errors\.test\.js/);
});

both(test, 'the message has the end of stderr, or if there is none, of stdout', async (t, { exec }) => {
  const messageOf = async (command, options) => (await rejected(exec(command, options))).message.split(': ')[1];
  t.is(await messageOf('echo wrong; exit 1'), 'echo wrong; exit 1\nwrong');
  t.is(await messageOf('echo out; echo wrong >&2; exit 1'), 'echo out; echo wrong >&2; exit 1\nwrong');
  t.is(await messageOf('seq 2 >&2; exit 1', { lines: true }), 'seq 2 >&2; exit 1\n1\n2');
  t.is(await messageOf('echo wrong; exit 1', { encoding: 'buffer' }), 'echo wrong; exit 1');
});

both(test, 'a command that a signal has ended', async (t, { exec }) => {
  const { message, signal, exitCode, isTerminated } = await rejected(exec('kill -KILL $$'));
  t.deepEqual(
    { message, signal, exitCode, isTerminated },
    {
      message: 'Command was killed with SIGKILL: kill -KILL $$',
      signal: 'SIGKILL',
      exitCode: null,
      isTerminated: true,
    },
  );
});

both(test, 'reject: false resolves with the error', async (t, { CommandError, execFile, $ }) => {
  const failed = await execFile('false', { reject: false });
  t.true(failed instanceof CommandError);
  t.deepEqual([failed.failed, failed.exitCode, failed.stdout], [true, 1, '']);
  t.is((await execFile('true', { reject: false })).failed, false);
  t.is((await execFile('no-such-program', { reject: false })).code, 'ENOENT');
  t.is((await $({ reject: false })`sh -c ${'exit 4'}`).exitCode, 4);
});

both(test, 'programs that do not start', async (t, { execFile }) => {
  for (const [file, code] of [
    ['no-such-program', 'ENOENT'],
    ['/usr', 'EACCES'],
  ]) {
    const running = execFile(file, ['a', 'b c']);
    const { cause, durationMs, resourceUsage, ...error } = await rejected(running);
    t.is(running.pid, undefined);
    t.deepEqual(
      { ...error },
      {
        shortMessage: `Command could not be started: ${file} a 'b c'\nspawn ${file} ${code}`,
        code,
        command: `${file} a 'b c'`,
        exitCode: null,
        signal: null,
        failed: true,
        timedOut: false,
        isCanceled: false,
        isMaxBuffer: false,
        isTerminated: false,
        stdout: '',
        stderr: '',
        pipedFrom: [],
      },
    );
    t.deepEqual([cause.code, cause.path, cause.spawnargs], [code, file, ['a', 'b c']]);
  }
  t.is((await rejected(execFile('true', ['x'.repeat(200_000)]))).code, 'E2BIG');
  const options = { all: true, input: 'text' };
  const { all, code, stdout } = await rejected(execFile('true', ['x'.repeat(200_000)], options));
  t.deepEqual({ all, code, stdout }, { all: '', code: 'E2BIG', stdout: '' });
});

both(test, 'a directory that is none is told from a program that is none', async (t, { $, execFile }) => {
  const reason = 'Command could not be started in /nonexistent-dir, which is no directory';
  const error = await rejected(execFile('true', { cwd: '/nonexistent-dir' }));
  t.deepEqual([error.code, error.shortMessage], ['ENOENT', `${reason}: true\nspawn true ENOENT`]);
  t.regex(thrown(() => $({ cwd: '/nonexistent-dir' }).sync`true`).message, new RegExp(reason));
  t.regex(
    (await rejected(execFile('true', { cwd: '/etc/passwd' }))).message,
    /in \/etc\/passwd, which is no directory/,
  );
  t.regex((await rejected(execFile('no-such-program', { cwd: '/' }))).message, /^Command could not be started: /);
});
