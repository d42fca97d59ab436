'use strict';

// child-process-rs/promises: how commands are ended, and that nothing is left of them.

const test = require('ava');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { both, rejected, thrown } = require('../helpers/both');
const { runNode } = require('../helpers/run-node');
const { until } = require('../helpers/settle');

const BOTH = JSON.stringify(require.resolve('../helpers/both'));

/** Runs `script` in a process of its own, in which `promises` are those of the form that `t` tests. */
function inOwnProcess(t, script, options) {
  const form = JSON.stringify(t.title.split(':')[0]);
  const text = `const promises = require(${BOTH}).FORMS[${form}]; ${script}`;
  return runNode(['--expose-gc', '-e', text], { timeout: 120_000, ...options });
}

function isRunning(pid) {
  try {
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

// It tells when it is ready, and does not end by SIGTERM.
const STUBBORN = ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'];

both(test, 'pid and kill()', async (t, { execFile }) => {
  const running = execFile('sleep', ['100']);
  t.true(isRunning(running.pid));
  t.true(running.kill(0));
  t.is(thrown(() => running.kill('SIGNOTHING')).code, 'ERR_UNKNOWN_SIGNAL');
  t.true(running.kill());
  const error = await rejected(running);
  t.deepEqual([error.signal, error.isTerminated, error.timedOut, error.isCanceled], ['SIGTERM', true, false, false]);
  t.false(running.kill());
  const other = execFile('sleep', ['100'], { killSignal: 'SIGINT' });
  other.kill();
  t.is((await rejected(other)).signal, 'SIGINT');
  const third = execFile('sleep', ['100']);
  third.kill('SIGHUP');
  t.is((await rejected(third)).signal, 'SIGHUP');
});

both(test, 'timeout', async (t, { exec, execFile }) => {
  const error = await rejected(exec('echo before; exec sleep 100', { timeout: 3000 }));
  const { shortMessage, signal, timedOut, isTerminated, stdout, exitCode } = error;
  t.deepEqual(
    { shortMessage, signal, timedOut, isTerminated, stdout, exitCode },
    {
      shortMessage: 'Command timed out after 3000 milliseconds: echo before; exec sleep 100',
      signal: 'SIGTERM',
      timedOut: true,
      isTerminated: true,
      stdout: 'before',
      exitCode: null,
    },
  );
  t.is((await rejected(execFile('sleep', ['10'], { timeout: 30, killSignal: 'SIGKILL' }))).signal, 'SIGKILL');
  t.is((await execFile('echo', ['x'], { timeout: 0 })).stdout, 'x');
  const graceful = 'trap "exit 0" TERM; while :; do sleep 0.01; done';
  const ended = await rejected(exec(graceful, { timeout: 300 }));
  t.true(ended.timedOut && ended.failed, 'whatever its exit code is');
});

both(test, 'what holds the outputs open after the end is not waited for', async (t, { exec }) => {
  const error = await rejected(exec('sleep 20 & echo $!; wait', { timeout: 1000 }));
  t.true(error.timedOut);
  t.true(isRunning(error.stdout));
  process.kill(Number(error.stdout));
  const late = await rejected(exec('sleep 20 & echo $!', { timeout: 1000 }));
  t.deepEqual([late.timedOut, late.exitCode], [true, 0]);
  process.kill(Number(late.stdout));
});

both(test, 'forceKillAfterDelay', async (t, { execFile }) => {
  const running = execFile('sh', STUBBORN, { forceKillAfterDelay: 100 });
  running.stdout.once('data', () => running.kill());
  const error = await rejected(running);
  t.deepEqual([error.signal, error.stdout], ['SIGKILL', 'ready']);
  const patient = execFile('sh', STUBBORN, { forceKillAfterDelay: false });
  patient.stdout.once('data', () => patient.kill());
  await sleep(300);
  t.true(isRunning(patient.pid));
  patient.kill('SIGKILL');
  t.is((await rejected(patient)).signal, 'SIGKILL');
});

both(test, 'aborted before: nothing is started', async (t, { exec }) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'promises-'));
  const reason = new TypeError('mine');
  const running = exec('touch started', { cwd: dir, signal: AbortSignal.abort(reason) });
  t.is(running.pid, undefined);
  t.is(running.stdin, null);
  t.false(running.kill());
  const error = await rejected(running);
  t.deepEqual([error.isCanceled, error.cause, error.stdout, error.exitCode], [true, reason, '', null]);
  t.is(error.shortMessage, 'Command was canceled: touch started\nmine');
  t.deepEqual(fs.readdirSync(dir), []);
  fs.rmdirSync(dir);
});

both(test, 'aborted while it runs, in the tick of the call, and after the end', async (t, { execFile }) => {
  for (const delay of [0, 50]) {
    const controller = new AbortController();
    const running = execFile('sleep', ['71'], { signal: controller.signal });
    if (delay > 0) await sleep(delay);
    controller.abort();
    const error = await rejected(running);
    t.deepEqual([error.isCanceled, error.isTerminated, error.code], [true, true, undefined]);
    t.is(error.cause.name, 'AbortError');
  }
  const controller = new AbortController();
  const result = await execFile('echo', ['a'], { signal: controller.signal });
  const before = { ...result };
  controller.abort();
  await sleep(20);
  t.deepEqual({ ...result }, before);
});

both(test, 'Symbol.asyncDispose ends the command and waits for that', async (t, { execFile, exec }) => {
  const running = execFile('sleep', ['100']);
  const { pid } = running;
  await running[Symbol.asyncDispose]();
  t.false(isRunning(pid));
  const done = exec('exit 3');
  await rejected(done);
  await done[Symbol.asyncDispose]();
});

both(test, 'cleanup: commands end when this process exits, or a signal ends it', async (t) => {
  for (const [end, expected] of [
    ['process.exit(5)', [5, null]],
    ['process.kill(process.pid, "SIGTERM")', [null, 'SIGTERM']],
    ['process.kill(process.pid, "SIGINT")', [null, 'SIGINT']],
    ['process.once("SIGTERM", () => process.exit(6)); process.kill(process.pid, "SIGTERM")', [6, null]],
    ['throw new Error("uncaught")', [1, null]],
  ]) {
    const script = `
      const running = promises.execFile('sleep', ['100']);
      running.catch(() => {});
      require('fs').writeSync(1, String(running.pid));
      setTimeout(() => { ${end} }, 50);
    `;
    const { stdout, code, signal } = await inOwnProcess(t, script);
    t.deepEqual([code, signal], expected, end);
    t.true(await until(() => !isRunning(stdout)), end);
  }
});

both(test, 'cleanup: false, and detached, let it live on', async (t) => {
  for (const option of ['cleanup: false', 'detached: true']) {
    const script = `
      const running = promises.execFile('sleep', ['100'], { ${option}, stdio: 'ignore' });
      running.unref();
      require('fs').writeSync(1, String(running.pid));
    `;
    const { stdout, code } = await inOwnProcess(t, script);
    t.deepEqual([code, isRunning(stdout)], [0, true], option);
    process.kill(Number(stdout));
  }
});

both(test, 'nothing keeps the process alive afterwards', async (t) => {
  const script = `
    const { execFile, lines, $ } = promises;
    execFile('echo', ['x']).then(({ stdout }) => console.log(stdout));
    execFile('true', { timeout: 600_000, signal: new AbortController().signal });
    execFile('sleep', ['600'], { forceKillAfterDelay: 600_000, timeout: 100 })
      .catch(({ timedOut }) => console.log(timedOut));
    execFile('no-such-program').catch(({ code }) => console.log(code));
    execFile('true', { input: new (require('stream').PassThrough)() });
    $\`sleep 0.2\`.then(() => console.log('slept'));
  `;
  const { stdout, timedOut, code } = await inOwnProcess(t, script);
  t.false(timedOut);
  t.is(code, 0);
  t.deepEqual(stdout.trim().split('\n').sort(), ['ENOENT', 'slept', 'true', 'x']);
});

both(test, 'nothing is left: descriptors, children, timers, listeners', async (t) => {
  const script = `
    const { $, exec, execFile, lines, sh } = promises;
    const fs = require('fs');
    const { PassThrough } = require('stream');
    const controller = new AbortController();
    const { signal } = controller;
    const reject = false;
    const all = () => Promise.all([
      execFile('echo', ['x'], { signal, timeout: 60_000 }),
      exec('echo x; exit 1', { reject, all: true }),
      execFile('no-such-program', { reject, signal }),
      execFile('sleep', ['10'], { reject, timeout: 5 }),
      execFile('yes', { reject, maxBuffer: 10 }),
      execFile('cat', { input: 'x'.repeat(1e6) }),
      execFile('true', { reject, input: new PassThrough() }),
      execFile('cat', { input: { file: '/etc/hostname' }, stdout: { file: '/dev/null' } }),
      execFile('echo', ['x'], { stdout: ['pipe', { file: '/dev/null' }] }),
      execFile('cat', { reject, input: { file: '/nonexistent' } }),
      execFile('echo', ['x'], { reject, stdout: { file: '/nonexistent/x' }, stderr: { file: '/dev/null' } }),
      execFile('echo', { buffer: false }),
      $\`echo x\`.pipe\`cat\`,
      $({ reject })\`yes\`.pipe\`head -n 1\`,
      $({ reject })\`yes\`.pipe({ reject })\`no-such-program\`,
      (async () => { for await (const line of lines('yes')) break; })(),
      (async () => { for await (const line of exec('seq 1000')); })(),
      (async () => {
        const running = execFile('sleep', ['10'], { reject, stdin: 'pipe' });
        void [running.stdin, running.stdout, running.stderr];
        await running[Symbol.asyncDispose]();
      })(),
      (async () => execFile('true', { stdin: { file: '/etc/hostname' }, stderr: 'wrong' }))().catch(() => {}),
      (async () => execFile('true', { stdout: ['pipe', { file: '/dev/null' }], stderr: 'wrong' }))().catch(() => {}),
      (async () => execFile('true', { stdout: ['pipe', { file: '/dev/null' }], cwd: 7 }))().catch(() => {}),
      execFile('no-such-program', { reject, stdout: ['pipe', { file: '/dev/null' }] }),
      execFile('true', { stderr: ['pipe', 'inherit'] }),
    ]);
    const fds = () => fs.readdirSync('/proc/self/fd').length;
    const count = (emitter, names) => names.map((name) => emitter.listenerCount(name)).join();
    const listeners = () =>
      count(process, ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP']) + count(process.stderr, ['close', 'error', 'drain']);
    const children = () => fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
    (async () => {
      await all();
      await new Promise((resolve) => setTimeout(resolve, 200));
      const before = fds();
      const ofProcess = listeners();
      for (let i = 0; i < 5; i++) await all();
      const deadline = Date.now() + 60_000;
      const resources = () => process.getActiveResourcesInfo().filter((name) => !/Timeout|TTYWrap|PipeWrap/.test(name));
      const isLeft = () => fds() > before || children() !== '' || resources().length > 0 || listeners() !== ofProcess;
      while (isLeft() && Date.now() < deadline) await new Promise((r) => setTimeout(r, 50));
      console.log(JSON.stringify({
        fds: fds() - before,
        children: children(),
        listeners: listeners() === ofProcess,
        ofSignal: require('events').getEventListeners(signal, 'abort').length,
        resources: resources(),
      }));
    })();
  `;
  const { stdout, stderr, code } = await inOwnProcess(t, script);
  t.deepEqual([code, stderr], [0, '']);
  t.deepEqual(JSON.parse(stdout), { fds: 0, children: '', listeners: true, ofSignal: 0, resources: [] });
});
