'use strict';

// child-process-rs/promises: results and limits. `promises-errors.test.js` has what fails, `promises-io.test.js` inputs
// and outputs, `promises-pipes.test.js` pipes, `promises-end.test.js` how commands are ended, `template.test.js` the
// template tags.

const test = require('ava');
const { AsyncLocalStorage } = require('node:async_hooks');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { both, rejected, thrown } = require('../helpers/both');

const MB = 1 << 20;
const RESULT = [
  'command',
  'exitCode',
  'signal',
  'failed',
  'timedOut',
  'isCanceled',
  'isMaxBuffer',
  'isTerminated',
  'durationMs',
  'resourceUsage',
  'stdout',
  'stderr',
  'pipedFrom',
];

both(test, 'a result has everything there is to know', async (t, { execFile }) => {
  const result = await execFile('sh', ['-c', 'echo out; echo err >&2; sleep 0.05']);
  t.deepEqual(Object.keys(result), RESULT);
  const { durationMs, resourceUsage, ...rest } = result;
  t.deepEqual(rest, {
    command: "sh -c 'echo out; echo err >&2; sleep 0.05'",
    exitCode: 0,
    signal: null,
    failed: false,
    timedOut: false,
    isCanceled: false,
    isMaxBuffer: false,
    isTerminated: false,
    stdout: 'out',
    stderr: 'err',
    pipedFrom: [],
  });
  t.true(durationMs >= 45, String(durationMs));
  t.true(resourceUsage === null || resourceUsage.maxRSS > 100, 'kilobytes');
});

test('the resources are those of the command, in microseconds', async (t) => {
  const { execFile } = require('../../promises');
  const script = 'while (process.cpuUsage().user < 100_000);';
  const { resourceUsage, durationMs } = await execFile(process.execPath, ['-e', script]);
  const microseconds = resourceUsage.userCPUTime + resourceUsage.systemCPUTime;
  t.true(microseconds > 30_000, String(microseconds));
  t.true(microseconds < durationMs * 1000 * os.availableParallelism() + 500_000, String(microseconds));
});

both(test, 'arguments and options may be left out', async (t, { exec, execFile }) => {
  t.is((await execFile('pwd')).stdout, process.cwd());
  t.is((await execFile('pwd', { cwd: '/usr' })).stdout, '/usr');
  t.is((await execFile('pwd', [], { cwd: '/usr' })).stdout, '/usr');
  t.is((await execFile('pwd', undefined, { cwd: '/usr' })).stdout, '/usr');
  t.is((await execFile('pwd', null, { cwd: '/usr' })).stdout, '/usr');
  t.is((await exec('pwd', undefined)).stdout, process.cwd());
  t.is((await exec('pwd', { cwd: new URL('file:///usr') })).stdout, '/usr');
  t.is((await execFile(new URL('file:///bin/echo'), ['x', 7])).stdout, 'x 7');
});

both(test, 'exec runs a shell, of the caller’s choice', async (t, { exec }) => {
  t.is((await exec('echo "$A" | tr a-z A-Z', { env: { ...process.env, A: 'loud' } })).stdout, 'LOUD');
  t.is((await exec('echo $((2 ** 3))', { shell: '/bin/bash' })).stdout, '8');
});

both(test, 'env replaces the environment, and extends it if asked', async (t, { execFile }) => {
  const env = { A: 'mine' };
  t.is((await execFile('/usr/bin/env', { env })).stdout, 'A=mine');
  const { stdout } = await execFile('/usr/bin/env', { env, extendEnv: true });
  t.true(stdout.split('\n').includes('A=mine') && stdout.includes(`PATH=${process.env.PATH}`));
});

both(test, 'argv0, and what spawn() checks', async (t, { execFile }) => {
  t.is((await execFile('sh', ['-c', 'echo $0'], { argv0: 'other' })).stdout, 'other');
  t.is(thrown(() => execFile('true', { cwd: 1 })).code, 'ERR_INVALID_ARG_TYPE');
  t.is(thrown(() => execFile('true', { uid: 'x' })).code, 'ERR_INVALID_ARG_TYPE');
});

both(test, 'encodings', async (t, { exec }) => {
  const { stdout, stderr } = await exec('printf "\\303\\244"; printf "\\377" >&2', { encoding: 'buffer' });
  t.deepEqual([stdout, stderr], [Uint8Array.of(0xc3, 0xa4), Uint8Array.of(0xff)]);
  t.is(Object.getPrototypeOf(stdout), Uint8Array.prototype);
  t.is((await exec('printf "\\303\\244\\n"', { encoding: 'hex' })).stdout, 'c3a40a');
  t.is((await exec('printf "\\303\\244"', { encoding: 'latin1' })).stdout, 'Ã¤');
  t.is((await exec('printf "\\303\\244\\n"', { encoding: 'HEX' })).stdout, 'c3a40a');
  t.is((await exec('printf "\\303\\244\\n"', { encoding: 'UTF-8', all: true })).all, 'ä');
  t.deepEqual((await exec('true', { encoding: 'buffer' })).stdout, new Uint8Array(0));
  t.is((await exec("printf '\\360\\237'; sleep 0.05; printf '\\230\\200'")).stdout, '😀', 'in two pieces');
});

both(test, 'the final newline is stripped, unless asked otherwise', async (t, { execFile }) => {
  const print = async (text, options) => (await execFile('printf', [text], options)).stdout;
  t.is(await print('a\\n'), 'a');
  t.is(await print('a\\r\\n'), 'a');
  t.is(await print('a\\n\\n'), 'a\n');
  t.is(await print('\\n'), '');
  t.is(await print('a\\n', { stripFinalNewline: false }), 'a\n');
  t.deepEqual(await print('a\\r\\n', { encoding: 'buffer' }), Uint8Array.of(97));
  t.deepEqual(await print('a\\n', { encoding: 'buffer', stripFinalNewline: false }), Uint8Array.of(97, 10));
});

both(test, 'lines: the outputs as arrays', async (t, { exec }) => {
  const { stdout, stderr } = await exec("printf 'a\\r\\n\\nb\\n'; printf c >&2", { lines: true });
  t.deepEqual([stdout, stderr], [['a', '', 'b'], ['c']]);
  t.deepEqual((await exec('true', { lines: true })).stdout, []);
});

both(test, '10 MB of output', async (t, { exec }) => {
  const { stdout } = await exec(`yes 'a line' | head -c ${10 * MB}`);
  // The last character is no newline.
  t.is(stdout.length, 10 * MB);
});

both(test, 'all: both outputs in the order in which they come', async (t, { exec }) => {
  // Each part is written when the one before it has come.
  const parts = ['echo 1', 'echo 2 >&2', "printf '\\303'", 'echo 4 >&2', "printf '\\244'"];
  const running = exec(parts.join('; read x; '), { all: true, stdin: 'pipe' });
  for (const stream of [running.stdout, running.stderr]) stream.on('data', () => running.stdin.write('\n'));
  const result = await running;
  t.is(result.all, '1\n2\n4\nä');
  t.deepEqual([result.stdout, result.stderr], ['1\nä', '2\n4']);
  t.deepEqual(Object.keys(result), [...RESULT.slice(0, -1), 'all', 'pipedFrom']);
  t.deepEqual((await exec('echo 1; echo 2', { all: true, lines: true })).all, ['1', '2']);
  const bytes = await exec('echo 1', { all: true, encoding: 'buffer' });
  t.deepEqual(bytes.all, Uint8Array.of(49));
  t.is((await exec('echo 1; echo 2 >&2', { all: true, stderr: 'ignore' })).all, '1');
});

both(test, 'all: the order of parts of a character, and with streams that are accessed late', async (t, { exec }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'all-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const told = path.join(folder, 'told');
  await exec(`mkfifo ${told}`);
  // Each part is written when the one before it has come, and the streams are accessed in the middle of a character.
  const parts = ['echo 1', 'echo 2 >&2', "printf '3\\303'", 'echo 4 >&2', "printf '\\244'"];
  const script = parts.map((part) => `${part}; echo >&3; read x`).join('; ');
  const cases = [{}, { encoding: 'buffer' }].flatMap((options) => [true, false].map((isLate) => ({ options, isLate })));
  for (const { options, isLate } of cases) {
    const running = exec(`exec 3> ${told}; ${script}`, { all: true, stdin: 'pipe', ...options });
    let count = 0;
    const tell = () => {
      count++;
      if (count === 3 && isLate) void running.stderr;
      running.stdin.write('\n');
    };
    fs.createReadStream(told).on('data', () => setImmediate(setImmediate, tell));
    const { all, stdout, stderr } = await running;
    const texts = [all, stdout, stderr].map((output) => Buffer.from(output).toString('latin1'));
    const utf8 = (text) => Buffer.from(text).toString('latin1');
    const split = `1\n2\n3${utf8('ä')[0]}4\n${utf8('ä')[1]}`;
    t.deepEqual(texts, [options.encoding ? split : utf8('1\n2\n34\nä'), utf8('1\n3ä'), '2\n4']);
  }
});

both(test, 'all: long outputs, neither of which is lost or mixed up', async (t, { exec }) => {
  const script = 'yes out | head -c 1000000 & yes err | head -c 1000000 >&2; wait';
  const { all, stdout, stderr } = await exec(script, { all: true, stripFinalNewline: false });
  const count = (text, letter) => text.split(letter).length - 1;
  t.is(all.length, 2_000_000);
  for (const [letter, output] of Object.entries({ o: stdout, e: stderr }))
    t.is(count(all, letter), count(output, letter));
});

both(test, 'all: a character that the command has not finished, and one that maxBuffer cuts', async (t, { exec }) => {
  const unfinished = await rejected(exec("printf 'a\\303'; exec sleep 10", { all: true, timeout: 1000 }));
  t.deepEqual([unfinished.all, unfinished.stdout, unfinished.timedOut], ['a\uFFFD', 'a\uFFFD', true]);
  const cut = await rejected(exec("printf 'a\\303\\244'; exec sleep 10", { all: true, maxBuffer: 2 }));
  // Over the builtin the output is cut by bytes.
  t.deepEqual([cut.all, cut.isMaxBuffer], [t.title.startsWith('natively') ? 'a' : 'a\uFFFD', true]);
});

both(
  test,
  'all: streams that are accessed after the end of a command whose outputs are still open',
  async (t, { exec }) => {
    const command = 'echo 1; (sleep 0.4; echo 2; echo 3 >&2) &';
    const late = (body) => {
      const running = exec(command, { all: true });
      return sleep(150).then(() => body(running));
    };
    const sorted = (text) => text.split('\n').sort().join('');
    const touched = await late((running) => {
      void running.stderr;
      return running;
    });
    t.deepEqual([sorted(touched.all), touched.stdout, touched.stderr], ['123', '1\n2', '3']);
    t.is((await late((running) => running.pipe('cat', []))).stdout, '1\n2');
    t.deepEqual(await late(async (running) => [sorted((await running).all)]), ['123']);
  },
);

both(test, 'all: a long output that is too long', async (t, { exec }) => {
  const options = { all: true, maxBuffer: 1_000_000, stripFinalNewline: false };
  const { all, isMaxBuffer, stdout } = await rejected(exec('yes', options));
  t.deepEqual([isMaxBuffer, stdout.length, all.length], [true, 1_000_000, 1_000_000]);
});

both(test, 'all: no more of an output than maxBuffer allows', async (t, { exec }) => {
  const { all, isMaxBuffer } = await rejected(exec('echo 1 >&2; yes | head -c 1000', { all: true, maxBuffer: 10 }));
  t.deepEqual([isMaxBuffer, [...all].sort().join('').trim()], [true, '1yyyyy']);
});

both(test, 'an option that does not exist is an error, which says what was meant', (t, promises) => {
  const { $, exec, execFile, lines, sh } = promises;
  const meant = (body) => {
    const { code, message } = thrown(body);
    t.is(code, 'ERR_INVALID_ARG_VALUE');
    return message;
  };
  t.is(
    meant(() => execFile('true', { timeuot: 1 })),
    'There is no option "timeuot": did you mean timeout?',
  );
  t.is(
    meant(() => exec('true', { maxbuffer: 1 })),
    'There is no option "maxbuffer": did you mean maxBuffer?',
  );
  t.is(
    meant(() => $({ rejct: false })),
    'There is no option "rejct": did you mean reject?',
  );
  t.is(
    meant(() => sh({ pipfail: true })),
    'There is no option "pipfail": did you mean pipefail?',
  );
  t.is(
    meant(() => lines('true', { form: 'all' })),
    'There is no option "form": did you mean from?',
  );
  t.is(
    meant(() => execFile('true', { cancelSignal: 1 })),
    'There is no option "cancelSignal": did you mean signal?',
  );
  t.is(
    meant(() => execFile('true', { ipc: true })),
    'There is no option "ipc": did you mean fork() of child-process-rs?',
  );
  t.is(
    meant(() => execFile('true', { pipefail: true })),
    'There is no option "pipefail"',
  );
  t.is(
    meant(() => execFile('true', { somethingElse: 1 })),
    'There is no option "somethingElse"',
  );
});

both(test.serial, 'a polluted Object.prototype adds no option', async (t, { execFile }) => {
  Object.assign(Object.prototype, { input: 'x', lines: true, reject: false, stdout: 'ignore' });
  try {
    t.is((await execFile('echo', ['x'])).stdout, 'x');
  } finally {
    for (const name of ['input', 'lines', 'reject', 'stdout']) delete Object.prototype[name];
  }
});

both(test, 'what is refused is thrown at once', (t, { $, exec, execFile }) => {
  const wrong = [
    () => exec(),
    () => exec(1),
    () => exec('a\0b'),
    () => execFile(),
    () => execFile(''),
    () => execFile('true', 'x'),
    () => execFile('true', ['a\0b']),
    () => execFile('true', [undefined]),
    () => execFile('true', [null]),
    () => execFile('true', [{}]),
    () => execFile('true', [['nested']]),
    () => $('true', ['x']),
    () => execFile('true', [], 'x'),
    () => exec('true', { timeout: -1 }),
    () => exec('true', { timeout: 1.5 }),
    () => exec('true', { maxBuffer: -1 }),
    () => exec('true', { killSignal: 'SIGNOTHING' }),
    () => exec('true', { signal: 1 }),
    () => exec('true', { input: 7 }),
    () => exec('true', { env: { A: '\0' } }),
    () => exec('true', { encoding: 'latin-9' }),
    () => exec('true', { lines: true, encoding: 'buffer' }),
    () => exec('true', { stdout: 'pipes' }),
    () => exec('true', { stdin: 'pipes' }),
    () => exec('true', { stdout: [] }),
    () => exec('true', { stdio: ['ignore', 'pipe', []] }),
    () => exec('true', { stdin: ['pipe', 'inherit'] }),
    () => exec('true', { stdio: 'pipe', stdout: 'pipe' }),
    () => exec('true', { input: '', stdin: 'inherit' }),
    () => exec('true', { verbose: true }),
    () => $({ shell: true })`true`,
  ];
  for (const start of wrong) {
    t.regex(thrown(start).code ?? 'none', /^ERR_(INVALID_ARG|OUT_OF_RANGE|UNKNOWN_SIGNAL)/, String(start));
  }
});

both(test, 'maxBuffer, which is 100 MB', async (t, { exec, execFile }) => {
  t.is((await execFile('printf', ['0123456789'], { maxBuffer: 10 })).stdout, '0123456789');
  for (const redirection of ['', '>&2']) {
    const command = `printf 0123456789 ${redirection}; exec sleep 10`;
    const error = await rejected(exec(command, { maxBuffer: 9 }));
    t.deepEqual([error.isMaxBuffer, error.isTerminated, error.stdout + error.stderr], [true, true, '012345678']);
    t.is(error.shortMessage, `Command wrote more than maxBuffer allows, 9 bytes: ${command}`);
  }
  const error = await rejected(execFile('head', ['-c', '100000001', '/dev/zero'], { encoding: 'buffer' }));
  t.is(error.shortMessage.split(':')[0], 'Command wrote more than maxBuffer allows, 100000000 bytes');
  t.is(error.stdout.length, 100_000_000);
});

both(test, 'forty at a time, each with its own result', async (t, { exec }) => {
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, i) => exec(`echo ${i}; exit ${i % 2}`).catch((error) => error)),
  );
  t.deepEqual(
    results.map(({ stdout, exitCode }) => [stdout, exitCode]),
    Array.from({ length: 40 }, (_, i) => [`${i}`, i % 2]),
  );
});

both(test, 'AsyncLocalStorage', async (t, { execFile }) => {
  const storage = new AsyncLocalStorage();
  await storage.run('mine', async () => {
    await execFile('true');
    t.is(storage.getStore(), 'mine');
    const running = execFile('echo', ['x']);
    const heard = new Promise((resolve) => running.stdout.once('data', () => resolve(storage.getStore())));
    t.is(await heard, 'mine');
    await rejected(execFile('false'));
    t.is(storage.getStore(), 'mine');
  });
});

both(test, 'preferLocal: programs of node_modules/.bin come first', async (t, { execFile }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'promises-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, 'node_modules/.bin'), { recursive: true });
  fs.mkdirSync(path.join(folder, 'deep/er'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'node_modules/.bin/cprs-local'), '#!/bin/sh\necho "local $A"', { mode: 0o755 });
  t.is((await rejected(execFile('cprs-local', { cwd: folder }))).code, 'ENOENT');
  const inside = { cwd: path.join(folder, 'deep/er'), preferLocal: true };
  t.is((await execFile('cprs-local', inside)).stdout, 'local ');
  t.is((await execFile('cprs-local', { ...inside, env: { A: 'a' } })).stdout, 'local a');
  t.is((await execFile('cprs-local', { preferLocal: folder })).stdout, 'local ');
});

both(test, 'verbose writes what runs to stderr', async (t, promises) => {
  const written = [];
  const { write } = process.stderr;
  process.stderr.write = (text) => written.push(String(text).replace(/\d+ ms/, '… ms'));
  try {
    await promises.$({ verbose: 'short' })`echo ${'a b'}`;
    await promises.exec('exit 2', { verbose: 'short', reject: false });
    await promises.exec('echo out; sleep 0.05; echo err >&2', { verbose: 'full' });
  } finally {
    process.stderr.write = write;
  }
  t.deepEqual(written, [
    "$ echo 'a b'\n",
    "$ echo 'a b' (… ms)\n",
    '$ exit 2\n',
    'Command failed with exit code 2: exit 2\n',
    '$ echo out; sleep 0.05; echo err >&2\n',
    'out\n',
    'err\n',
    '$ echo out; sleep 0.05; echo err >&2 (… ms)\n',
  ]);
});

both(test, '$.sync and sh.sync', (t, { $, sh, CommandError }) => {
  const result = $.sync`echo ${'a b'}`;
  t.deepEqual(Object.keys(result), RESULT);
  t.is(result.stdout, 'a b');
  t.is(sh.sync`echo ${'x'} | tr x y`.stdout, 'y');
  t.is($({ input: 'given' }).sync`cat`.stdout, 'given');
  t.is($.sync({ input: ['gi', 'ven'] })`cat`.stdout, 'given');
  const error = thrown(() => $.sync`sh -c ${'echo err >&2; exit 3'}`);
  t.true(error instanceof CommandError);
  t.deepEqual([error.exitCode, error.stderr], [3, 'err']);
  t.regex(error.stack.split('\n').slice(2).join('\n'), /promises\.test\.js/);
  t.is($({ reject: false }).sync`no-such-program`.code, 'ENOENT');
  const late = $({ reject: false, timeout: 50 }).sync`sleep 10`;
  t.deepEqual([late.timedOut, late.isTerminated, late.signal], [true, true, 'SIGTERM']);
  t.true($({ reject: false, maxBuffer: 3 }).sync`echo long`.isMaxBuffer);
  t.is(thrown(() => $({ all: true }).sync`true`).code, 'ERR_INVALID_ARG_VALUE');
});
