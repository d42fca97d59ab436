'use strict';

// child-process-rs/promises: commands as promises, lines of output as an async iterator. `template.test.js` has the
// template tags.

const test = require('ava');
const { AsyncLocalStorage } = require('node:async_hooks');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { childrenOf, until } = require('../helpers/settle');

const { exec, execFile, lines, sh } = require('../../promises');

const MB = 1 << 20;
const RESULT = ['stdout', 'stderr', 'exitCode', 'signal', 'durationMs', 'resourceUsage'];

async function rejected(promise) {
  return promise.then(
    () => {
      throw new Error('it was not rejected');
    },
    (error) => error,
  );
}

function running(name) {
  return childrenOf(process.pid).filter(({ pid, state }) => {
    try {
      return state !== 'Z' && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(name);
    } catch {
      return false;
    }
  }).length;
}

test('execFile resolves with everything there is to know', async (t) => {
  const result = await execFile('sh', ['-c', 'echo out; echo err >&2; sleep 0.05']);
  t.deepEqual(Object.keys(result), RESULT);
  t.is(result.stdout, 'out\n');
  t.is(result.stderr, 'err\n');
  t.is(result.exitCode, 0);
  t.is(result.signal, null);
  t.true(result.durationMs >= 45 && result.durationMs < 600_000, String(result.durationMs));
  for (const name of ['userCPUTime', 'systemCPUTime', 'maxRSS'])
    t.is(typeof result.resourceUsage[name], 'number', name);
  t.true(result.resourceUsage.maxRSS > 100, 'kilobytes');
});

test('the CPU time is the child’s, in microseconds', async (t) => {
  const { resourceUsage, durationMs } = await execFile(process.execPath, [
    '-e',
    'while (process.cpuUsage().user < 100_000);',
  ]);
  const microseconds = resourceUsage.userCPUTime + resourceUsage.systemCPUTime;
  t.true(microseconds > 30_000, String(microseconds));
  t.true(microseconds < durationMs * 1000 * os.availableParallelism() + 500_000, String(microseconds));
});

test('exec runs a shell', async (t) => {
  const { stdout, exitCode } = await exec('echo "$A" | tr a-z A-Z', { env: { ...process.env, A: 'loud' } });
  t.is(stdout, 'LOUD\n');
  t.is(exitCode, 0);
});

test('a shell of the caller’s', async (t) => {
  t.is((await exec('echo $((2 ** 3))', { shell: '/bin/bash' })).stdout, '8\n');
});

test('arguments and options may be left out', async (t) => {
  t.is((await execFile('pwd')).stdout, `${process.cwd()}\n`);
  t.is((await execFile('pwd', { cwd: '/usr' })).stdout, '/usr\n');
  t.is((await execFile('pwd', [], { cwd: '/usr' })).stdout, '/usr\n');
  t.is((await execFile('pwd', undefined, { cwd: '/usr' })).stdout, '/usr\n');
  t.is((await execFile('pwd', null, { cwd: '/usr' })).stdout, '/usr\n');
  t.is((await exec('pwd', undefined)).stdout, `${process.cwd()}\n`);
  t.is((await exec('pwd', { cwd: new URL('file:///usr') })).stdout, '/usr\n');
});

test('encodings', async (t) => {
  const { stdout, stderr } = await exec('printf "\\303\\244"; printf "\\377" >&2', { encoding: 'buffer' });
  t.deepEqual([stdout, stderr], [Buffer.from([0xc3, 0xa4]), Buffer.from([0xff])]);
  t.is((await exec('printf "\\303\\244"', { encoding: 'hex' })).stdout, 'c3a4');
  t.is((await exec('printf "\\303\\244"', { encoding: 'latin1' })).stdout, 'Ã¤');
  t.true(Buffer.isBuffer((await exec('printf a', { encoding: 'no-such-encoding' })).stdout));
  t.deepEqual((await execFile('true', { encoding: 'buffer' })).stdout, Buffer.alloc(0));
});

test('characters that arrive in pieces come out whole', async (t) => {
  t.is((await exec("printf '\\360\\237'; sleep 0.05; printf '\\230\\200'")).stdout, '😀');
});

test('10 MB of output', async (t) => {
  const { stdout } = await exec(`yes 'a line' | head -c ${10 * MB}`, { maxBuffer: Infinity });
  t.is(stdout.length, 10 * MB);
});

test('a failing command rejects with the error that exec’s callback would get', async (t) => {
  const error = await rejected(exec('echo out; echo err >&2; exit 3'));
  t.true(error instanceof Error);
  const { message, code, killed, signal, cmd, stdout, stderr, exitCode } = error;
  t.deepEqual(
    { message, code, killed, signal, cmd, stdout, stderr, exitCode },
    {
      message: 'Command failed: echo out; echo err >&2; exit 3\nerr\n',
      code: 3,
      killed: false,
      signal: null,
      cmd: 'echo out; echo err >&2; exit 3',
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 3,
    },
  );
  t.is(typeof error.durationMs, 'number');
  t.is(typeof error.resourceUsage.maxRSS, 'number');
});

test('the command in the error of execFile has its arguments', async (t) => {
  t.is((await rejected(execFile('false', ['a', 'b c']))).cmd, 'false a b c');
});

test('ended by a signal', async (t) => {
  const { code, signal, exitCode, killed } = await rejected(exec('kill -KILL $$'));
  t.deepEqual({ code, signal, exitCode, killed }, { code: null, signal: 'SIGKILL', exitCode: null, killed: false });
});

test('programs that do not start', async (t) => {
  for (const [file, expected] of [
    ['no-such-program', 'ENOENT'],
    ['/usr', 'EACCES'],
    ['/etc/passwd/x', 'ENOTDIR'],
  ]) {
    const error = await rejected(execFile(file, ['a', 'b']));
    const { code, syscall, path: at, spawnargs, message, cmd, stdout, stderr } = error;
    t.deepEqual(
      { code, syscall, at, spawnargs, message, cmd, stdout, stderr },
      {
        code: expected,
        syscall: `spawn ${file}`,
        at: file,
        spawnargs: ['a', 'b'],
        message: `spawn ${file} ${expected}`,
        cmd: `${file} a b`,
        stdout: '',
        stderr: '',
      },
    );
    t.is(typeof error.errno, 'number');
  }
  t.is((await rejected(exec('true', { cwd: '/nonexistent-dir' }))).code, 'ENOENT');
  t.is((await rejected(execFile('true', ['x'.repeat(200_000)]))).code, 'E2BIG');
});

test('what is refused is rejected, never thrown', async (t) => {
  const wrong = [
    () => exec(),
    () => exec(1),
    () => exec('a\0b'),
    () => execFile(),
    () => execFile(''),
    () => execFile('true', 'x'),
    () => execFile('true', ['a\0b']),
    () => exec('true', { timeout: -1 }),
    () => exec('true', { maxBuffer: -1 }),
    () => exec('true', { killSignal: 'SIGNOTHING' }),
    () => exec('true', { cwd: 1 }),
    () => exec('true', { uid: 'x' }),
    () => exec('true', { signal: 1 }),
    () => exec('true', { input: 7 }),
    () => exec('true', { env: { A: '\0' } }),
  ];
  for (const start of wrong) {
    const error = await rejected(start());
    t.regex(error.code, /^ERR_(INVALID_ARG|OUT_OF_RANGE|UNKNOWN_SIGNAL)/, String(start));
  }
});

test('input: strings, bytes, none', async (t) => {
  t.is((await execFile('cat', { input: 'text ä' })).stdout, 'text ä');
  t.is((await execFile('cat', { input: Buffer.from('bytes') })).stdout, 'bytes');
  t.is((await execFile('cat', { input: new DataView(Uint8Array.of(65, 66, 67).buffer, 1) })).stdout, 'BC');
  t.is((await execFile('cat', { input: '616263', encoding: 'hex' })).stdout, '616263');
  t.is((await execFile('wc', ['-c'], { input: '' })).stdout.trim(), '0');
  t.is((await execFile('wc', ['-c'])).stdout.trim(), '0', 'without an input it is empty');
  t.is((await sh`tr a-z A-Z < ${'/etc/hostname'}`).stdout, fs.readFileSync('/etc/hostname', 'utf8').toUpperCase());
});

test('5 MB of input come back, on a loop that goes on', async (t) => {
  const input = Buffer.alloc(5 * MB, 'a line that comes back\n');
  const { stdout } = await execFile('cat', { input, encoding: 'buffer', maxBuffer: Infinity });
  t.true(stdout.equals(input));
});

test('an input that the caller changes meanwhile does not crash, one that nobody reads does not matter', async (t) => {
  const input = Buffer.alloc(2 * MB, 'a');
  const promise = execFile('sh', ['-c', 'sleep 0.1; wc -c'], { input });
  input.fill('b');
  t.is((await promise).stdout.trim(), String(2 * MB));
  t.is((await execFile('sh', ['-c', 'exec 0<&-; sleep 0.1; echo done'], { input })).stdout, 'done\n');
});

test('timeout', async (t) => {
  const error = await rejected(exec('echo before; exec sleep 100', { timeout: 3000 }));
  const { killed, signal, code, stdout, exitCode } = error;
  t.deepEqual(
    { killed, signal, code, stdout, exitCode },
    { killed: true, signal: 'SIGTERM', code: null, stdout: 'before\n', exitCode: null },
  );
  t.is((await rejected(execFile('sleep', ['10'], { timeout: 30, killSignal: 'SIGKILL' }))).signal, 'SIGKILL');
  t.is((await execFile('echo', ['x'], { timeout: 0 })).stdout, 'x\n');
});

test('maxBuffer', async (t) => {
  t.is((await execFile('printf', ['0123456789'], { maxBuffer: 10 })).stdout, '0123456789');
  const error = await rejected(exec('printf 0123456789; exec sleep 10', { maxBuffer: 9 }));
  t.is(error.code, 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER');
  t.is(error.stdout, '012345678');
  t.is(error.message, 'stdout maxBuffer length exceeded');
  t.is(
    (await rejected(exec('printf 0123456789 >&2; exec sleep 10', { maxBuffer: 9 }))).message,
    'stderr maxBuffer length exceeded',
  );
});

test('aborted before: nothing is started', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'promises-'));
  const reason = new TypeError('mine');
  const error = await rejected(exec('touch started', { cwd: dir, signal: AbortSignal.abort(reason) }));
  t.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', reason]);
  t.deepEqual(fs.readdirSync(dir), []);
  fs.rmdirSync(dir);
});

test.serial('aborted while it runs: the process is killed', async (t) => {
  const controller = new AbortController();
  const promise = rejected(execFile('sleep', ['71'], { signal: controller.signal }));
  t.true(await until(() => running('sleep\x0071') === 1));
  controller.abort();
  const error = await promise;
  t.deepEqual([error.name, error.code], ['AbortError', 'ABORT_ERR']);
  t.true(await until(() => running('sleep\x0071') === 0));
});

test('aborted in the tick of the call', async (t) => {
  const controller = new AbortController();
  const promise = rejected(execFile('sleep', ['10'], { signal: controller.signal }));
  controller.abort();
  t.is((await promise).name, 'AbortError');
});

test('aborted after the end: nothing happens', async (t) => {
  const controller = new AbortController();
  const result = await execFile('echo', ['a'], { signal: controller.signal });
  const before = { ...result };
  controller.abort();
  await sleep(20);
  t.deepEqual({ ...result }, before);
  t.is(result.stdout, 'a\n');
});

test('AsyncLocalStorage', async (t) => {
  const storage = new AsyncLocalStorage();
  await storage.run('mine', async () => {
    await execFile('true');
    t.is(storage.getStore(), 'mine');
    await rejected(execFile('false'));
    t.is(storage.getStore(), 'mine');
  });
});

test('forty at a time, each with its own result', async (t) => {
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, i) => exec(`echo ${i}; exit ${i % 2}`).catch((error) => error)),
  );
  t.deepEqual(
    results.map(({ stdout, exitCode }) => [stdout, exitCode]),
    Array.from({ length: 40 }, (_, i) => [`${i}\n`, i % 2]),
  );
});

test('lines: one by one, without their ends', async (t) => {
  const collect = async (iterator) => {
    const all = [];
    for await (const line of iterator) all.push(line);
    return all;
  };
  const of = (text, options) => collect(lines('printf', [text], options));
  t.deepEqual(await of('one\\ntwo\\n'), ['one', 'two']);
  t.deepEqual(await of('one\\ntwo'), ['one', 'two'], 'a last line without an end');
  t.deepEqual(await of('\\n\\na\\n\\n'), ['', '', 'a', '']);
  t.deepEqual(await of(''), []);
  t.deepEqual(await of('a\\r\\nb\\r\\n'), ['a', 'b']);
  t.deepEqual(await of('ä€\\n😀\\n'), ['ä€', '😀']);
  t.deepEqual(await collect(lines('sh', ['-c', "printf '\\303'; sleep 0.05; printf '\\244\\nx'"])), ['ä', 'x']);
  t.deepEqual(await collect(lines('pwd', { cwd: '/usr' })), ['/usr']);
  t.is((await collect(lines('seq', ['50000']))).length, 50_000);
});

test('lines: they come while the command runs', async (t) => {
  const iterator = lines('sh', ['-c', 'echo early; exec sleep 74']);
  t.deepEqual(await iterator.next(), { value: 'early', done: false });
  t.true(await until(() => running('sleep\x0074') === 1));
  await iterator.return();
});

test.serial('lines: leaving the loop kills the command', async (t) => {
  for await (const line of lines('sh', ['-c', 'echo one; exec sleep 72'])) {
    t.is(line, 'one');
    t.true(await until(() => running('sleep\x0072') === 1));
    break;
  }
  t.true(await until(() => running('sleep\x0072') === 0));
});

test.serial('lines: an exception in the loop kills the command and goes through', async (t) => {
  await t.throwsAsync(
    async () => {
      for await (const line of lines('sh', ['-c', 'echo one; exec sleep 73'])) throw new RangeError(line);
    },
    { instanceOf: RangeError, message: 'one' },
  );
  t.true(await until(() => running('sleep\x0073') === 0));
});

test('lines: a failing command throws after its last line', async (t) => {
  const seen = [];
  const error = await t.throwsAsync(async () => {
    for await (const line of lines('sh', ['-c', 'echo one; echo two; echo err >&2; exit 3'])) seen.push(line);
  });
  t.deepEqual(seen, ['one', 'two']);
  t.deepEqual([error.code, error.exitCode, error.signal, error.stderr], [3, 3, null, 'err\n']);
});

test('lines: a program that does not start throws', async (t) => {
  await t.throwsAsync(
    async () => {
      for await (const line of lines('no-such-program')) t.fail(line);
    },
    { code: 'ENOENT' },
  );
});

test('lines: who does not ask holds the command back', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'promises-'));
  const file = path.join(dir, 'written');
  // Tells, after each 100 kB that it got rid of, how often.
  const script = `
    const fs = require('fs');
    const line = 'x'.repeat(99999) + '\\n';
    for (let i = 1; ; i++) {
      fs.writeSync(1, line);
      fs.writeFileSync(process.argv[1], String(i));
    }`;
  const iterator = lines(process.execPath, ['-e', script, file]);
  await iterator.next();
  t.teardown(() => iterator.return());
  const written = () => (fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0);
  const standsStill = await until(async () => {
    const before = written();
    await sleep(300);
    return before > 0 && written() === before;
  });
  t.true(standsStill);
  t.true(written() < 100, `${written()} lines of 100 kB`);
  await iterator.return();
  fs.rmSync(dir, { recursive: true });
});

test('nothing keeps the process alive afterwards', async (t) => {
  const { runNode } = require('../helpers/run-node');
  const script = `
    const { execFile, lines, $ } = require(${JSON.stringify(path.resolve(__dirname, '../../promises.js'))})
    execFile('echo', ['x']).then(({ stdout }) => console.log(stdout.trim()))
    execFile('true', { timeout: 600_000, signal: new AbortController().signal })
    execFile('no-such-program').catch(({ code }) => console.log(code))
    $\`sleep 0.2\`.then(() => console.log('slept'))
  `;
  const { stdout, timedOut, code } = await runNode(['-e', script], { timeout: 120_000 });
  t.false(timedOut);
  t.is(code, 0);
  t.deepEqual(stdout.trim().split('\n').sort(), ['ENOENT', 'slept', 'x']);
});
