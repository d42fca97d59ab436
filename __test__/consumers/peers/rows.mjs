// The rows of the table "Comparison" in docs/promises.md. A function tries a contestant and returns what the cell is
// to say; false or undefined if it did not do what was expected at all. Text is a cell where there is nothing to try.

import { once } from 'node:events';
import fs from 'node:fs';
import process from 'node:process';
import { Transform } from 'node:stream';

import { alive, endsItself, fails, pidIn, temporary, text } from './helpers.mjs';

const PID_THEN_SLEEP = ['sh', '-c', 'echo $$; exec sleep 5'];
const STUBBORN = ['sh', '-c', 'trap "" TERM; echo $$ >"$0"; while :; do sleep 0.1; done'];
// What comes first has been read before the next is written.
const BOTH = ['sh', '-c', 'echo 1; sleep 0.5; echo 2 >&2; sleep 0.5; echo 3'];
const ANSWER = 'process.once("message", (message) => process.send(`${message}!`, () => process.disconnect()))';
const ANSWERING = [process.execPath, '-e', ANSWER];
const WITH_IPC = { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] };

/** The row in which every contestant is tried in the same way, but for the `others`. */
const each = (cell, others) => ({ ours: cell, execa: cell, zx: cell, nano: cell, bun: cell, deno: cell, ...others });

const said = ({ stdout }) => text(stdout).trim();

function noTemplates(tag) {
  try {
    return fails(tag`echo`).then((failed) => failed && 'no templates');
  } catch {
    return 'no templates';
  }
}

const quoted = async (running) =>
  ({ 'my message|': 'one argument', '"my|message"|': 'two, with the quotes' })[said(await running)];

async function shell(running) {
  const version = said(await running);
  if (version === '$BASH_VERSION') return 'no';
  return version === '' ? 'its own' : 'bash';
}

const ID = '$(id)';
async function expanded(running) {
  const result = said(await running);
  return result === ID ? 'prints `$(id)`' : /uid=/.test(result) && 'runs `id`';
}

async function stdin(running) {
  const target = said(await running);
  if (target === '/dev/null') return 'the null device';
  if (target === fs.readlinkSync('/proc/self/fd/0')) return 'inherited';
  return /^(pipe|socket):/.test(target) && 'a pipe';
}
const READ_STDIN = ['readlink', '/proc/self/fd/0'];

async function env({ run }, options) {
  process.env.INHERITED = 'yes';
  const result = await run(['env'], { env: { PATH: process.env.PATH }, ...options });
  return said(result).includes('INHERITED=yes') ? 'extends' : 'replaces';
}

async function limit({ run }) {
  if (!(await fails(run(['head', '-c', '100100000', '/dev/zero'])))) return 'none';
  await run(['head', '-c', '99900000', '/dev/zero']);
  // Two characters in three bytes.
  return (await fails(run(['sh', '-c', 'yes é | head -c 120000000']))) && '100 MB';
}

const ending = async (running) => ((await fails(running)) ? 'fails' : 'succeeds');

async function unknownOption({ run }) {
  try {
    await run(['true'], { timeot: 1 });
    return 'is ignored';
  } catch (error) {
    return /\btimeout\b/.test(error.message) && 'throws, suggests the right one';
  }
}

/** Aborts a command that ignores SIGTERM. */
async function killed({ run }, option = 'signal') {
  const file = temporary();
  const controller = new AbortController();
  const end = fails(run([...STUBBORN, file], { [option]: controller.signal }));
  const pid = await pidIn(file);
  const aborted = Date.now();
  controller.abort();
  const ended = await endsItself(pid, 8000);
  await end;
  return ended ? Date.now() - aborted > 4000 && '5 s' : 'no';
}

/** Whether a line comes while the command still runs. */
async function live(lines, name) {
  let pid;
  try {
    for await (const line of lines) {
      if (!alive(line)) return 'no';
      pid = Number(line);
      process.kill(pid);
    }
  } catch {
    // The command has been killed.
  }
  return pid ? name : 'no';
}

const ordered = (output, name) => /^1\n2\n3\n?$/.test(text(output)) && name;

async function answers(child, name) {
  child.send('hi');
  const [message] = await once(child, 'message');
  return message === 'hi!' && name;
}

const upper = () => new Transform({ transform: (chunk, _, done) => done(null, String(chunk).toUpperCase()) });
const webStream = () => new Blob(['a']).stream();

export const rows = {
  '`"my message"` in a template': {
    ...each(({ $ }) => quoted($`printf ${'%s|'} "my message"`)),
    nano: ({ spawn }) => noTemplates(spawn),
    deno: ({ Command }) => noTemplates(Command),
  },
  'uses a shell': {
    ...each(({ $ }) => shell($`echo $BASH_VERSION`)),
    async ours({ $, sh, exec }) {
      const shells = await Promise.all([sh`echo $$`, exec('echo $$')]);
      return (await shell($`echo $BASH_VERSION`)) === 'no' && shells.every(said) && 'only `sh`, `exec`';
    },
    nano: ({ run }) => shell(run(['echo', '$BASH_VERSION'])),
    deno: ({ run }) => shell(run(['echo', '$BASH_VERSION'])),
  },
  '`` sh`echo "${x}"` ``, x is `$(id)`': {
    ours: ({ sh }) => expanded(sh`echo "${ID}"`),
    execa: async ({ $ }) => `with \`shell\`, ${await expanded($({ shell: true })`echo "${ID}"`)}`,
    zx: ({ $ }) => expanded($`echo "${ID}"`),
    nano: '',
    bun: ({ $ }) => expanded($`echo "${ID}"`),
    deno: '',
  },
  'standard input': each(({ run }) => stdin(run(READ_STDIN)), {
    execa: async ({ run, $ }) => `${await stdin(run(READ_STDIN))}; of \`$\`, ${await stdin($`${READ_STDIN}`)}`,
  }),
  '`env`': each(env, {
    ours: async (peer) =>
      (await env(peer, { extendEnv: true })) === 'extends' &&
      `${await env(peer)} the environment, or extends it with \`extendEnv\``,
  }),
  'final newline': each(async ({ run }) => (text((await run(['echo', 'a'])).stdout) === 'a' ? 'stripped' : 'kept')),
  'an output is': each(async ({ run }) => {
    const { stdout } = await run(['echo', 'a']);
    return typeof stdout === 'string' ? 'a string' : `a \`${stdout.constructor.name}\``;
  }),
  'limit of an output': each(limit, {
    // Its 100 M characters take it most of a minute: only that they are characters is tried.
    async execa({ run }) {
      const fits = said(await run(['echo', 'ééé'], { maxBuffer: 4 })) === 'ééé';
      return fits && (await fails(run(['echo', 'ééé'], { maxBuffer: 3 }))) && '100 M characters';
    },
  }),
  'an exit code other than 0': each(async ({ run }) => ((await fails(run(['false']))) ? 'rejects' : 'resolves')),
  'without a rejection': {
    ours: async ({ run }) => (await run(['false'], { reject: false })).exitCode === 1 && '`reject: false`',
    execa: async ({ run }) => (await run(['false'], { reject: false })).exitCode === 1 && '`reject: false`',
    zx: async ({ run }) => (await run(['false'], { nothrow: true })).exitCode === 1 && '`nothrow: true`',
    nano: async ({ run }) => (await fails(run(['false'], { reject: false, nothrow: true }))) && 'no',
    bun: async ({ $ }) => (await $`false`.nothrow()).exitCode === 1 && '`.nothrow()`',
    deno: async ({ run }) => (await run(['false'])).code === 1 && 'always',
  },
  '`yes` piped to `head`': {
    ...each(({ $ }) => ending($`yes`.pipe`head -n 1`)),
    async zx({ $ }) {
      const yes = $`yes`;
      const both = ending(Promise.all([yes, yes.pipe`head -n 1`]));
      const [error] = await Promise.race([once(process, 'uncaughtException'), both.then((outcome) => [outcome])]);
      await yes.kill();
      return error.code ? `uncaught \`${error.code}\`` : error;
    },
    nano: ({ spawn }) => ending(spawn('yes').pipe('head', ['-n', '1'])),
    bun: ({ $ }) => ending($`yes | head -n 1`),
    deno: 'no pipes',
  },
  'an unknown option': each(unknownOption, { bun: 'no options' }),
  'SIGKILL after a delay': each(killed, { execa: (peer) => killed(peer, 'cancelSignal') }),
  'ends with this process': each(async ({ leave }) => ((await endsItself(await leave(), 3000)) ? 'yes' : 'no')),
  'lines while it runs': {
    ...each(({ run }) => live(run(PID_THEN_SLEEP), '`for await`')),
    async ours({ run, lines }) {
      const [file, ...args] = PID_THEN_SLEEP;
      return `${await live(run(PID_THEN_SLEEP), '`for await`')}, ${await live(lines(file, args), '`lines()`')}`;
    },
    bun: ({ run }) => live(run(PID_THEN_SLEEP).lines(), '`.lines()`'),
    deno: 'no',
  },
  'both outputs in order': {
    ours: async ({ run }) => ordered((await run(BOTH, { all: true })).all, '`all`'),
    execa: async ({ run }) => ordered((await run(BOTH, { all: true })).all, '`all`'),
    zx: async ({ run }) => ordered((await run(BOTH)).stdall, '`stdall`'),
    nano: async ({ run }) => ordered((await run(BOTH)).output, '`output`'),
    bun: async ({ $ }) => ordered((await $`${BOTH} 2>&1`).stdout, '`2>&1`'),
    deno: 'no',
  },
  'synchronous': {
    ours: ({ $ }) => $.sync`echo a`.stdout === 'a' && '`$.sync`',
    execa: ({ $, execaSync }) => [$.sync`echo a`, execaSync('echo', ['a'])].every(said) && '`$.sync`, `execaSync`',
    zx: ({ $ }) => $.sync`echo a`.stdout === 'a\n' && '`$.sync`',
    nano: 'no',
    bun: 'no',
    deno: ({ Command }) => said(new Command('echo', { args: ['a'] }).outputSync()) === 'a' && '`outputSync()`',
  },
  'messages (IPC)': {
    async ours({ fork }) {
      const file = `${temporary()}.cjs`;
      fs.writeFileSync(file, ANSWER);
      return answers(fork(file), '`fork()` of `child-process-rs`');
    },
    async execa({ run }) {
      const running = run(ANSWERING, { ipc: true });
      await running.sendMessage('hi');
      return (await running.getOneMessage()) === 'hi!' && 'yes';
    },
    zx: ({ run }) => answers(run(ANSWERING, WITH_IPC).child, '`child`'),
    nano: async ({ run }) => answers(await run(ANSWERING, WITH_IPC).nodeChildProcess, '`nodeChildProcess`'),
    bun: 'no',
    deno: 'no',
  },
  'transforms': {
    async ours({ run }) {
      const stdout = upper();
      await run(['echo', 'a'], { stdout });
      return text(stdout.read()) === 'A\n' && 'a stream as `stdout`';
    },
    async execa({ run }) {
      const stdout = function* (line) {
        yield line.toUpperCase();
      };
      return said(await run(['echo', 'a'], { stdout })) === 'A' && 'a generator as `stdout`';
    },
    async zx({ run }) {
      const stdout = upper();
      await run(['echo', 'a']).pipe(stdout);
      return text(stdout.read()) === 'A\n' && '`pipe(stream)`';
    },
    nano: 'no',
    bun: 'no',
    deno: 'no',
  },
  'web streams': {
    ours: async ({ run }) => said(await run(['cat'], { input: webStream() })) === 'a' && 'as `input`',
    execa: async ({ run }) => said(await run(['cat'], { stdin: webStream() })) === 'a' && 'as `stdin`, `stdout`',
    zx: 'no',
    nano: 'no',
    bun: 'no',
    deno: ({ Command }) => {
      const child = new Command('true', { stdin: 'piped', stdout: 'piped' }).spawn();
      return child.stdout instanceof ReadableStream && child.stdin instanceof WritableStream && 'yes';
    },
  },
};
