'use strict';

// child-process-rs/promises: commands of which one reads what another writes.

const test = require('ava');

const { both, rejected, thrown } = require('../helpers/both');

const MB = 1 << 20;

both(test, 'pipe: templates, files, and commands that run', async (t, { $, execFile }) => {
  t.is((await $`printf ${'b\\na\\nc\\n'}`.pipe`sort`).stdout, 'a\nb\nc');
  t.is((await $`printf ${'b\\na\\nc\\n'}`.pipe`sort`.pipe`head -n ${1}`).stdout, 'a');
  t.is((await execFile('echo', ['x']).pipe('tr', ['x', 'y'])).stdout, 'y');
  t.is((await execFile('echo', ['x']).pipe('cat')).stdout, 'x');
  t.is((await execFile('seq', [3]).pipe('head', ['-n', 2])).stdout, '1\n2');
  t.is((await $`echo x`.pipe($({ stdin: 'pipe' })`cat`)).stdout, 'x');
  t.is((await $`echo x`.pipe({ encoding: 'hex' })`cat`).stdout, '780a');
  t.is((await execFile('sh', ['-c', 'echo out; echo err >&2']).pipe({ from: 'stderr' })`cat`).stdout, 'err');
  const both = await execFile('sh', ['-c', 'echo out; echo err >&2']).pipe({ from: 'all' })`sort`;
  t.is(both.stdout, 'err\nout');
});

both(test, 'pipe: the results of the commands before', async (t, { $ }) => {
  const { pipedFrom } = await $`echo x`.pipe`cat`.pipe`cat`;
  t.is(pipedFrom.length, 1);
  t.deepEqual([pipedFrom[0].command, pipedFrom[0].stdout, pipedFrom[0].exitCode], ['cat', undefined, 0]);
  t.is(pipedFrom[0].pipedFrom[0].command, 'echo x');
});

both(test, 'pipe: the failure of any command is the failure of all', async (t, { $, sh }) => {
  t.is((await rejected(sh`echo x; exit 3`.pipe`cat`)).command, 'echo x; exit 3');
  t.is((await rejected(sh`exit 3`.pipe`cat`.pipe`cat`)).exitCode, 3);
  t.is((await rejected($`echo x`.pipe('sh', ['-c', 'cat; exit 4']))).exitCode, 4);
  t.is((await rejected($`no-such-program`.pipe`cat`)).code, 'ENOENT');
  t.is((await rejected($`yes`.pipe`no-such-program`)).code, 'ENOENT');
  const both = await rejected(sh`exit 3`.pipe('sh', ['-c', 'cat; exit 4']));
  t.deepEqual([both.exitCode, both.pipedFrom[0].exitCode], [4, 3], 'the last one is told');
  t.is((await sh({ reject: false })`echo x; exit 3`.pipe`cat`).stdout, 'x', 'one that need not succeed');
  t.is((await sh`exit 3`.pipe({ reject: false })`cat`).exitCode, 3);
});

both(test, 'pipe: a command that is read from no more ends, which is no failure', async (t, { $ }) => {
  const { stdout, pipedFrom } = await $`yes`.pipe`head -n ${2}`;
  t.is(stdout, 'y\ny');
  t.true(pipedFrom[0].failed);
});

both(test, 'pipe: nothing of it is kept, so there is no limit', async (t, { $ }) => {
  const { stdout } = await $({ maxBuffer: 1000 })`head -c ${10 * MB} /dev/zero`.pipe`wc -c`;
  t.is(stdout, String(10 * MB));
});

both(test, 'pipe: to several commands, of which one may end early', async (t, { $ }) => {
  const source = $`seq 200000`;
  const [first, count] = await Promise.all([source.pipe`head -n 1`, source.pipe`wc -l`]);
  t.deepEqual([first.stdout, count.stdout.trim()], ['1', '200000']);
});

both(test, 'pipe: several commands to one', async (t, { $, execFile, sh }) => {
  const sort = execFile('sort', { stdin: 'pipe' });
  $`echo a`.pipe(sort);
  sh`sleep 0.1; echo b`.pipe(sort);
  t.is((await sort).stdout, 'a\nb');
  const cat = execFile('cat', { stdin: 'pipe' });
  $({ reject: false })`no-such-program`.pipe(cat);
  $`echo c`.pipe(cat);
  t.is((await cat).stdout, 'c');
});

both(test, 'pipe: of a command that has ended', async (t, { exec }) => {
  for (const isTouched of [false, true]) {
    const ended = exec("printf 'twö'; echo err >&2");
    if (isTouched) ended.stdout.on('data', () => {});
    await ended;
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let time = 0; time < 2; time++) t.is((await ended.pipe('cat', [])).stdout, 'twö');
    t.is((await ended.pipe({ from: 'all' })`sort`).stdout, 'twöerr');
  }
});

both(test, 'pipe: of a command that has ended, bytes that are no text', async (t, { exec }) => {
  const print = async (options) => {
    const ended = exec("printf '\\377\\376x'", options);
    await ended;
    return ended.pipe('od', ['-An', '-tx1']);
  };
  const text = exec('printf twö', { encoding: 'utf-8' });
  await text;
  t.is((await text.pipe('cat', [])).stdout, 'twö');
  for (const encoding of ['buffer', 'latin1', 'hex']) t.is((await print({ encoding })).stdout, ' ff fe 78');
  const lossy = await Promise.allSettled([print({}), print({ encoding: 'ascii' })]);
  const outcomes = lossy.map(({ value, reason }) => value?.stdout ?? reason.code);
  // Where the outputs are streams, their bytes are known.
  const known = t.title.startsWith('natively') ? 'ERR_INVALID_ARG_VALUE' : ' ff fe 78';
  t.deepEqual(outcomes, [known, known]);
  const piped = exec('echo x');
  await piped.pipe('cat', []);
  await piped;
  t.regex(thrown(() => piped.pipe('cat', [])).message, /has ended and was not kept/);
});

both(test, 'pipe: what cannot be', async (t, { $, execFile }) => {
  const echo = $`echo x`;
  t.is(thrown(() => echo.pipe(7)).code, 'ERR_INVALID_ARG_TYPE');
  t.is(thrown(() => echo.pipe(process.stdout)).code, 'ERR_INVALID_ARG_TYPE');
  t.is(thrown(() => echo.pipe(Promise.resolve())).code, 'ERR_INVALID_ARG_TYPE');
  t.is(thrown(() => echo.pipe('cat', [undefined])).code, 'ERR_INVALID_ARG_TYPE');
  t.is(thrown(() => echo.pipe({ form: 'stdout' })).code, 'ERR_INVALID_ARG_VALUE');
  t.is(thrown(() => echo.pipe('cat', { input: 'x' })).code, 'ERR_INVALID_ARG_VALUE');
  t.is(thrown(() => echo.pipe('cat', { stdin: 'inherit' })).code, 'ERR_INVALID_ARG_VALUE');
  t.is(thrown(() => echo.pipe('cat', { stdio: 'inherit' })).code, 'ERR_INVALID_ARG_VALUE');
  t.is(thrown(() => echo.pipe(echo, { form: 'stdout' })).code, 'ERR_INVALID_ARG_VALUE');
  t.is(thrown(() => echo.iterable({ binary: true })).code, 'ERR_INVALID_ARG_VALUE');
  const running = [execFile('cat'), execFile('cat', { input: 'x' })];
  for (const cat of running) {
    t.regex(thrown(() => echo.pipe(cat)).message, /must be started with the option stdin: 'pipe'/);
  }
  await Promise.all([...running, echo]);
});

both(test, 'sh with pipefail', async (t, { sh }) => {
  t.is((await sh`exit 3 | cat`).exitCode, 0);
  t.is((await rejected(sh({ pipefail: true })`exit ${3} | cat`)).exitCode, 3);
  t.is(sh({ pipefail: true, reject: false }).sync`exit 3 | cat`.exitCode, 3);
});
