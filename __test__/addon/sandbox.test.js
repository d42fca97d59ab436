'use strict';

// Older kernels and sandboxes: system calls that are not there, or refused by seccomp. Children are started, signalled
// and reaped all the same, and nothing leaks into them.

const test = require('ava');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const { constants } = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');

const { compiled } = require('../helpers/compiled');
const { OURS } = require('../parity/harness');

const { EACCES, EINVAL, ENOSYS, EPERM } = constants.errno;
const run = promisify(execFile);

const CLONE_VM = 0x100;
const CLONE_THREAD = 0x10000;
const CLONE_PIDFD = 0x1000;
const CLOSE_RANGE_CLOEXEC = 4;

const program = compiled('sandbox');

/** The clone of a process that shares memory is refused, not that of a thread. */
const sharedClone = (errno) => `clone:${errno}:0:${CLONE_VM}:${CLONE_THREAD}`;

/** What a script prints where these calls are refused: rules of `fixtures/sandbox.c`. */
async function outputsInSandbox(rules, script, env = {}) {
  const source = `const ours = require(${JSON.stringify(OURS)});\n${script}`;
  const words = [...rules, '--', process.execPath, '-e', source];
  return run(program, words, { env: { ...process.env, ...env } });
}

const inSandbox = async (...given) => (await outputsInSandbox(...given)).stdout;

const KILL = `
  const child = ours.spawn('sleep', ['1000']);
  child.on('spawn', () => console.log('spawn', child.kill(0), child.kill('SIGINT')));
  child.on('exit', (code, signal) => console.log('exit', code, signal, child.kill()));
  const { status, signal } = ours.spawnSync('sh', ['-c', 'kill -TERM $$'], { timeout: 60_000 });
  console.log('sync', status, signal);`;
const KILLED = 'sync null SIGTERM\nspawn true true\nexit null SIGINT false\n';

for (const [name, rules] of Object.entries({
  'signals through process descriptors are refused': [`pidfd_send_signal:${EPERM}`],
  'signals through process descriptors are not there': [`pidfd_send_signal:${ENOSYS}`],
  'clone may not share memory': [sharedClone(EACCES)],
  'clone gives no process descriptor': [`clone:${EINVAL}:0:${CLONE_PIDFD}`],
  'there are no process descriptors': [`clone:${EINVAL}:0:${CLONE_PIDFD}`, `pidfd_open:${ENOSYS}`],
})) {
  test(name, async (t) => {
    t.is(await inSandbox(rules, KILL), KILLED);
  });
}

for (const [verb, script] of Object.entries({
  spawn: `ours.spawn('true').on('exit', () => ours.spawnSync('true'));`,
  spawnSync: `ours.spawnSync('true'); ours.spawn('true');`,
  promises: `
    const { exec } = require(${JSON.stringify(path.join(OURS, '../promises.js'))});
    exec('true').then(() => exec('true'));`,
})) {
  test(`that children are forked for want of the shared clone is told once: ${verb}`, async (t) => {
    const rules = [sharedClone(EPERM)];
    const { stderr } = await outputsInSandbox(rules, script);
    t.regex(stderr, /^\(node:\d+\) \[CHILD_PROCESS_RS_FORK\] Warning: child-process-rs: .+\(EPERM: /);
    t.is(stderr.split('CHILD_PROCESS_RS_FORK').length, 2, stderr);
    for (const env of [
      { NODE_OPTIONS: '--disable-warning=CHILD_PROCESS_RS_FORK' },
      { CHILD_PROCESS_RS_LAUNCHER: 'fork' },
    ]) {
      t.is((await outputsInSandbox(rules, script, env)).stderr, '');
    }
    t.is((await outputsInSandbox([], script)).stderr, '');
  });
}

test('the addon says how children are started', async (t) => {
  const script = `
    const { native } = require(${JSON.stringify(path.join(OURS, '../lib/addon/native.js'))});
    ours.spawnSync('true');
    console.log(native.launchMethod());`;
  t.is(await inSandbox([], script), 'clone\n');
  t.is(await inSandbox([], script, { CHILD_PROCESS_RS_LAUNCHER: 'fork' }), 'fork\n');
  t.is(await inSandbox([sharedClone(EPERM)], script), 'fork\n');
});

test('where the shared clone is refused, a failure that only exec can find is an event, not thrown', async (t) => {
  const folder = fs.mkdtempSync(path.join(path.dirname(program), 'busy-'));
  const busy = path.join(folder, 'busy');
  fs.copyFileSync('/bin/true', busy);
  fs.chmodSync(busy, 0o755);
  fs.chmodSync(folder, 0o755);
  const script = (options) => `
    const fs = require('node:fs');
    fs.openSync(${JSON.stringify(busy)}, 'r+');
    ours.spawn(${JSON.stringify(busy)}, ${options}).on('error', ({ code, syscall }) => console.log(code, syscall));`;
  for (const env of [{}, { CHILD_PROCESS_RS_LAUNCHER: 'fork' }]) {
    t.is(await inSandbox([], script('{}'), env), `ETXTBSY spawn ${busy}\n`);
  }
  if (process.getuid() === 0) t.is(await inSandbox([], script('{ uid: 65534 }')), `ETXTBSY spawn ${busy}\n`);
});

test('nothing leaks into a child where close_range(2) has no flag for it', async (t) => {
  const leaky = compiled('leaky', '-shared', '-fPIC');
  const script = `
    try { process.dlopen({ exports: {} }, ${JSON.stringify(leaky)}); } catch {}
    for (const cp of [ours, require('node:child_process')]) {
      console.log(cp.spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).stdout.includes('hostname'));
    }`;
  for (const rules of [[], [`close_range:${EINVAL}:2:${CLOSE_RANGE_CLOEXEC}`], [`close_range:${ENOSYS}`]]) {
    t.is(await inSandbox(rules, script), 'false\ntrue\n', String(rules));
  }
});

test('what this process was given is passed on where /proc cannot be read', async (t) => {
  const source = `
    const { spawnSync } = require(${JSON.stringify(OURS)});
    const { stdout } = spawnSync('sh', ['-c', 'test -e /proc/self/fd/50 && echo 50'], { encoding: 'utf8' });
    process.stdout.write(stdout);`;
  const words = [program, `getdents64:${ENOSYS}`, '--', process.execPath, '-e', source];
  for (const limit of ['', 'ulimit -n 100; ']) {
    const { stdout } = await run('bash', ['-c', `${limit}exec 50</dev/null; exec "$@"`, 'bash', ...words]);
    t.is(stdout, '50\n', limit);
  }
});

test('pages of 64 KiB', async (t) => {
  const library = compiled('large-pages', '-shared', '-fPIC', '-ldl');
  const source = `process.stdout.write(require(${JSON.stringify(OURS)}).spawnSync('echo', ['hi']).stdout)`;
  const { stdout } = await run(process.execPath, ['-e', source], { env: { ...process.env, LD_PRELOAD: library } });
  t.is(stdout, 'hi\n');
});
