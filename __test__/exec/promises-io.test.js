'use strict';

// child-process-rs/promises: what commands read and write, and line by line.

const test = require('ava');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { PassThrough, Readable, Writable } = require('node:stream');
const { setTimeout: sleep } = require('node:timers/promises');

const { both, rejected, thrown } = require('../helpers/both');
const { childrenOf, until } = require('../helpers/settle');

const MB = 1 << 20;

function folder(t) {
  const result = fs.mkdtempSync(path.join(os.tmpdir(), 'promises-'));
  t.teardown(() => fs.rmSync(result, { recursive: true, force: true }));
  return result;
}

function running(command) {
  return childrenOf(process.pid).filter(({ pid, state }) => {
    try {
      return state !== 'Z' && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(command);
    } catch {
      return false;
    }
  }).length;
}

async function collect(iterator) {
  const all = [];
  for await (const line of iterator) all.push(line);
  return all;
}

both(test, 'without an input there is none: the null device', async (t, { execFile }) => {
  t.is((await execFile('readlink', ['/proc/self/fd/0'])).stdout, '/dev/null');
  t.is(execFile('true').stdin, null);
});

both(test, 'input: strings and bytes', async (t, { execFile }) => {
  const cat = async (input, options) => (await execFile('cat', { input, ...options })).stdout;
  t.is(await cat('text ä'), 'text ä');
  t.is(await cat(''), '');
  t.is(await cat(Buffer.from('bytes')), 'bytes');
  t.is(await cat(new DataView(Uint8Array.of(65, 66, 67).buffer, 1)), 'BC');
  t.is(await cat(Uint8Array.of(65, 66).buffer), 'AB');
  t.is(await cat('abc', { encoding: 'hex' }), '616263', 'an input is always UTF-8');
});

both(test, 'input: files, streams and iterables', async (t, { execFile }) => {
  const file = path.join(folder(t), 'input');
  fs.writeFileSync(file, 'of a file');
  const cat = async (options) => (await execFile('cat', options)).stdout;
  t.is(await cat({ input: { file } }), 'of a file');
  t.is(await cat({ stdin: { file: new URL(`file://${file}`) } }), 'of a file');
  t.is(await cat({ input: fs.createReadStream(file) }), 'of a file');
  t.is(await cat({ stdin: fs.createReadStream(file) }), 'of a file');
  t.is(await cat({ input: ['a', Buffer.from('b')] }), 'ab');
  t.is(await cat({ stdin: new Set(['c']) }), 'c');
  t.is(await cat({ input: new Blob(['web']).stream() }), 'web');
  const generate = async function* () {
    yield 'one ';
    await sleep(1);
    yield 'two';
  };
  t.is(await cat({ input: generate() }), 'one two');
  const missing = await rejected(execFile('cat', { input: { file: `${file}-missing` } }));
  t.deepEqual([missing.code, missing.failed, missing.stdout], ['ENOENT', true, '']);
  t.regex(missing.message, /^Command could not be started: cat\n.*-missing'$/);
});

both(test, 'an input that fails ends the command', async (t, { execFile }) => {
  const generate = async function* () {
    yield 'one';
    throw new RangeError('no more');
  };
  const error = await rejected(execFile('sleep', ['100'], { input: generate() }));
  t.deepEqual([error.cause?.message, error.isTerminated], ['no more', true]);
  t.is(error.shortMessage, 'Command was killed with SIGTERM: sleep 100\nno more');
  const stream = new Readable({ read() {} });
  stream.push('x');
  const broken = rejected(execFile('sleep', ['100'], { input: stream }));
  stream.destroy(new RangeError('broken'));
  t.is((await broken).cause.message, 'broken');
});

both(test, 'an input that nobody reads does not matter, and is let go', async (t, { exec, execFile }) => {
  t.is((await exec('exec 0<&-; echo done', { input: Buffer.alloc(2 * MB) })).stdout, 'done');
  const endless = new Readable({ read() {} });
  await execFile('true', { input: endless });
  t.true(await until(() => endless.destroyed));
  let isReturned = false;
  const generate = function* () {
    try {
      for (;;) yield 'x'.repeat(100_000);
    } finally {
      isReturned = true;
    }
  };
  await execFile('head', ['-c', '1'], { input: generate() });
  t.true(await until(() => isReturned));
});

both(test, '5 MB of input come back', async (t, { execFile }) => {
  const input = Buffer.alloc(5 * MB, 'a line that comes back\n');
  const { stdout } = await execFile('cat', { input, encoding: 'buffer', stripFinalNewline: false });
  t.is(Buffer.compare(stdout, input), 0);
});

both(test, 'stdin: pipe, written by the program', async (t, { execFile }) => {
  const running = execFile('cat', { stdin: 'pipe' });
  running.stdin.write('one ');
  running.stdin.end('two');
  t.is((await running).stdout, 'one two');
});

both(test, 'streams are there when they are touched', async (t, { execFile, exec }) => {
  const running = exec('echo out; echo err >&2');
  let heard = '';
  running.stdout.setEncoding('utf8').on('data', (text) => (heard += text));
  const result = await running;
  t.deepEqual([heard, result.stdout, result.stderr], ['out\n', 'out', 'err']);
  const quiet = execFile('true', { stdio: 'ignore' });
  t.deepEqual([quiet.stdin, quiet.stdout, quiet.stderr], [null, null, null]);
  const { stdout, stderr } = await quiet;
  t.deepEqual([stdout, stderr], [undefined, undefined]);
});

both(test, 'buffer: false keeps nothing, and the command waits for its reader', async (t, { exec }) => {
  const running = exec('echo out; echo err >&2', { buffer: false });
  t.is(String(Buffer.concat(await collect(running.stdout))), 'out\n');
  const { stdout, stderr } = await running;
  t.deepEqual([stdout, stderr], [undefined, undefined]);
  t.is((await exec('echo nobody reads', { buffer: false })).exitCode, 0);
});

both(test, 'outputs to files, which are emptied or appended to', async (t, { exec }) => {
  const file = path.join(folder(t), 'log');
  const { stdout } = await exec('echo 1', { stdout: { file } });
  t.is(stdout, undefined);
  await exec('echo 2', { stdout: { file } });
  t.is(fs.readFileSync(file, 'utf8'), '2\n');
  await exec('echo 3; echo 4 >&2', { stdout: { file, append: true }, stderr: { file, append: true } });
  t.is(fs.readFileSync(file, 'utf8'), '2\n3\n4\n');
  await exec('echo 1; echo 2 >&2; echo 3', { stdio: ['ignore', { file }, { file }] });
  t.is(fs.readFileSync(file, 'utf8'), '1\n2\n3\n', 'two outputs of one file do not overwrite each other');
  const error = await rejected(exec('echo', { stdout: { file: '/nonexistent-dir/x' } }));
  t.deepEqual([error.code, error.failed], ['ENOENT', true]);
});

both(test, 'outputs to descriptors and streams', async (t, { exec }) => {
  const file = path.join(folder(t), 'log');
  const fd = fs.openSync(file, 'w');
  await exec('echo fd', { stdout: fd });
  fs.closeSync(fd);
  t.is(fs.readFileSync(file, 'utf8'), 'fd\n');

  const stream = new PassThrough();
  const { stdout, stderr } = await exec('echo out; echo err >&2', { stdout: stream, stderr: stream });
  t.deepEqual([stdout, stderr], [undefined, undefined]);
  t.deepEqual(
    String(Buffer.concat(await collect(stream)))
      .split('\n')
      .sort(),
    ['', 'err', 'out'],
  );

  await exec('echo written', { stdout: fs.createWriteStream(file) });
  t.is(fs.readFileSync(file, 'utf8'), 'written\n', 'all of it is there when the command is over');
});

both(test, 'an output to several places, of which the result may be one', async (t, { exec }) => {
  const file = path.join(folder(t), 'log');
  const stream = new PassThrough();
  const { stdout } = await exec('echo x', { stdout: ['pipe', { file }, stream] });
  t.is(stdout, 'x');
  t.is(fs.readFileSync(file, 'utf8'), 'x\n');
  t.is(String(Buffer.concat(await collect(stream))), 'x\n');
});

both(test, 'a stream that fails ends the command', async (t, { execFile }) => {
  const broken = new Writable({ write: (_chunk, _encoding, done) => done(new RangeError('full')) });
  const error = await rejected(execFile('yes', { stdout: broken }));
  t.is(error.cause.message, 'full');
});

both(test, 'inherit: the descriptors of this process', async (t) => {
  const { runNode } = require('../helpers/run-node');
  const script = `
    const { FORMS } = require(${JSON.stringify(require.resolve('../helpers/both'))});
    const { exec } = FORMS[${JSON.stringify(t.title.split(':')[0])}];
    exec('echo out; echo err >&2', { stdio: 'inherit' })
      .then(({ stdout }) => console.log(typeof stdout))
      .then(() => exec('echo both', { stdout: ['pipe', 'inherit'] }))
      .then(({ stdout }) => console.log(stdout));
  `;
  const { stdout, stderr, code } = await runNode(['-e', script], { timeout: 120_000 });
  t.deepEqual([code, stdout, stderr], [0, 'out\nundefined\nboth\nboth\n', 'err\n']);
});

both(test, 'more descriptors', async (t, { exec }) => {
  const running = exec('echo three >&3', { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  t.is(String(Buffer.concat(await collect(running.stdio[3]))), 'three\n');
  await running;
});

both(test, 'lines: one by one, without their ends', async (t, { lines }) => {
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

both(test, 'lines: with an input, of stderr, of both', async (t, { lines }) => {
  t.deepEqual(await collect(lines('sort', { input: 'b\na\n' })), ['a', 'b']);
  const script = ['-c', 'echo out; echo err >&2'];
  t.deepEqual(await collect(lines('sh', script, { from: 'stderr' })), ['err']);
  t.deepEqual((await collect(lines('sh', script, { from: 'all' }))).sort(), ['err', 'out']);
  t.is(thrown(() => lines('sh', { from: 'stdin' })).code, 'ERR_INVALID_ARG_VALUE');
});

both(test, 'lines: they come while the command runs', async (t, { lines }) => {
  const iterator = lines('sh', ['-c', 'echo early; exec sleep 74']);
  t.deepEqual(await iterator.next(), { value: 'early', done: false });
  await iterator.return();
});

both(test.serial, 'lines: leaving the loop ends the command', async (t, { lines }) => {
  for await (const line of lines('sh', ['-c', 'echo one; exec sleep 72'])) {
    t.is(line, 'one');
    t.true(await until(() => running('sleep\x0072') === 1));
    break;
  }
  t.is(running('sleep\x0072'), 0);
  await t.throwsAsync(
    async () => {
      for await (const line of lines('sh', ['-c', 'echo one; exec sleep 72'])) throw new RangeError(line);
    },
    { instanceOf: RangeError, message: 'one' },
  );
  t.is(running('sleep\x0072'), 0);
});

both(test, 'lines: nothing is started before a line is asked for', async (t, { lines }) => {
  const dir = folder(t);
  const iterator = lines('touch', ['started'], { cwd: dir });
  await sleep(50);
  t.deepEqual(fs.readdirSync(dir), []);
  await iterator.return();
});

both(test, 'lines: a failing command throws after its last line', async (t, { lines, CommandError }) => {
  const seen = [];
  const error = await t.throwsAsync(async () => {
    for await (const line of lines('sh', ['-c', 'echo one; echo two; echo err >&2; exit 3'])) seen.push(line);
  });
  t.deepEqual(seen, ['one', 'two']);
  t.true(error instanceof CommandError);
  t.deepEqual([error.exitCode, error.signal, error.stderr, error.stdout], [3, null, 'err', undefined]);
  t.is((await rejected(lines('no-such-program').next())).code, 'ENOENT');
  t.deepEqual(await collect(lines('sh', ['-c', 'echo one; exit 3'], { reject: false })), ['one']);
});

both(test, 'lines: more stderr than the error needs is no error', async (t, { lines }) => {
  const script = 'head -c 3000000 /dev/zero >&2; exit 1';
  const error = await rejected(collect(lines('sh', ['-c', script], { maxBuffer: 10 })));
  t.deepEqual([error.isMaxBuffer, error.exitCode, error.stderr.length], [false, 1, MB]);
});

both(test, 'lines: who does not ask holds the command back', async (t, { lines }) => {
  const file = path.join(folder(t), 'written');
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
});

both(test, 'a command that runs can be iterated, and has its result all the same', async (t, { exec }) => {
  const running = exec('echo one; echo two; echo err >&2');
  t.deepEqual(await collect(running), ['one', 'two']);
  t.is((await running).stdout, 'one\ntwo');
  t.deepEqual(await collect(exec('echo out; echo err >&2').iterable({ from: 'stderr' })), ['err']);
});

both(test, 'a command that is iterated late has lost no line', async (t, { exec }) => {
  const running = exec('echo one; read x; echo two', { stdin: 'pipe' });
  await sleep(200);
  const iterator = running.iterable();
  running.stdin.end('\n');
  t.deepEqual(await collect(iterator), ['one', 'two']);
});

both(test, 'a command that is iterated after its end has lost no line', async (t, { exec }) => {
  for (const isTouched of [false, true]) {
    const running = exec("printf 'one\ntwö'");
    if (isTouched) running.stdout.on('data', () => {});
    await running;
    await sleep(50);
    for (let time = 0; time < 2; time++) t.deepEqual(await collect(running.iterable()), ['one', 'twö']);
  }
});

both(test, 'nobody hears of a failure twice: a promise that is only iterated is not unhandled', async (t) => {
  const { runNode } = require('../helpers/run-node');
  const script = `
    const { FORMS } = require(${JSON.stringify(require.resolve('../helpers/both'))});
    const { exec, lines } = FORMS[${JSON.stringify(t.title.split(':')[0])}];
    (async () => {
      try { for await (const line of exec('echo a; exit 1')) console.log(line); } catch (e) { console.log(e.exitCode); }
      try { for await (const line of lines('false')); } catch (e) { console.log(e.exitCode); }
      for await (const line of exec('yes')) break;
      { await using_(exec('sleep 100')); }
      await exec('exit 1').pipe\`cat\`.catch((e) => console.log(e.exitCode));
    })();
    async function using_(running) { await running[Symbol.asyncDispose](); }
  `;
  const { stdout, stderr, code } = await runNode(['-e', script], { timeout: 120_000 });
  t.deepEqual([code, stdout, stderr], [0, 'a\n1\n1\n1\n', '']);
});
