'use strict';

// `npm run test:kernels`: what the package is used for works on older kernels, in sandboxes that refuse a system
// call, where pages are large and where there is no /proc. `--only NAME` for one of them, `--step STEP` for one use.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { LIBRARY, compile, temporaryDirectory } = require('./build');

const ROOT = process.env.OURS ?? path.resolve(__dirname, '../..');
const SMOKE = path.join(__dirname, 'smoke.js');
const LIMIT_MS = 60_000;
const JOBS = 2;
// The descriptor that the program is started with: above those that Node uses itself.
const INHERITED = 30;

const { values: chosen } = parseArgs({ options: { only: { type: 'string' }, step: { type: 'string' } } });

const directory = temporaryDirectory();
const sandbox = compile(directory, 'sandbox');
const machine = compile(directory, 'machine', LIBRARY);
fs.renameSync(compile(directory, 'leak', LIBRARY), path.join(directory, 'leak.node'));

const REFUSED = [
  'memfd_create',
  'timerfd_create',
  'close_range',
  'pidfd_open',
  'pidfd_send_signal',
  'statx',
  'faccessat2',
  'fallocate',
  'waitid',
  'setsid',
];
const AS_ROOT = process.getuid() === 0 ? [] : ['--map-root-user'];
const WITHOUT_PROC = ['unshare', '--mount', ...AS_ROOT, 'sh', '-c', 'mount -t tmpfs none /proc && exec "$0" "$@"'];

// What is expected is then something else, or told by a warning.
const REFUSED_ENV = { setsid: { SESSION_REFUSED: 'yes' }, 'shared-clone': { NODE_NO_WARNINGS: '1' } };

const refusal = (call, error) => [
  `${call}: ${error}`,
  {
    command: [sandbox, `${call}:${os.constants.errno[error]}`],
    env: REFUSED_ENV[call] ?? {},
  },
];

/** Where the smoke program runs: through which command, and with which variables. */
const PLACES = Object.fromEntries([
  ['this kernel', { command: [] }],
  ...['4.18', '5.4', '5.10'].map((version) => [`Linux ${version}`, { command: [sandbox, version] }]),
  [
    'Linux 4.18, which ignores what it does not know',
    {
      command: [sandbox, '4.18'],
      env: { LD_PRELOAD: machine, IGNORED_FLAGS: '4096' },
    },
  ],
  ...REFUSED.flatMap((call) => ['EPERM', 'ENOSYS'].map((error) => refusal(call, error))),
  ...['EPERM', 'ENOSYS', 'EINVAL', 'EACCES'].map((error) => refusal('shared-clone', error)),
  ...['EPERM', 'EINVAL'].map((error) => refusal('clone-pidfd', error)),
  ['pages of 64 KiB', { command: [], env: { LD_PRELOAD: machine, PAGE: '65536' } }],
  ['without /proc', { command: WITHOUT_PROC, env: AS_ROOT.length > 0 ? { ONLY_ROOT: 'yes' } : {} }],
]);

/** Why a place cannot be had here, if so. */
function obstacle({ command }) {
  if (command.length === 0) return null;
  const { status, stderr, error } = spawnSync(command[0], [...command.slice(1), 'true'], { encoding: 'utf8' });
  return status === 0 ? null : (error?.message ?? stderr.trim());
}

function smoke({ command, env }) {
  return new Promise((resolve) => {
    const [file, ...args] = [...command, process.execPath, SMOKE, ...(chosen.step ? [chosen.step] : [])];
    const passedOn = fs.openSync(__filename);
    const stdio = ['ignore', 'pipe', 'pipe'];
    while (stdio.length < INHERITED) stdio.push('ignore');
    stdio.push(passedOn);
    const variables = { OURS: ROOT, LEAK: path.join(directory, 'leak.node'), INHERITED, ...env };
    const options = { stdio, env: { ...process.env, ...variables }, timeout: LIMIT_MS, killSignal: 'SIGKILL' };
    const child = spawn(file, args, options);
    fs.closeSync(passedOn);
    let output = '';
    const add = (text) => {
      output += text;
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', add);
    child.on('close', (code, signal) => resolve({ output, code, signal }));
  });
}

/** What did not work: a line each. */
function failures({ output, code, signal }) {
  const lines = output.split('\n').filter((line) => line && !line.startsWith('ok '));
  return code === 0 ? lines : [...lines, `ended with ${code ?? signal}`];
}

async function main() {
  const waiting = Object.entries(PLACES).filter(([name]) => !chosen.only || name.startsWith(chosen.only));
  let passed = 0;
  let failed = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, place] = next;
      const reason = obstacle(place);
      if (reason) {
        console.log(`  - ${name}: skipped: ${reason}`);
        continue;
      }
      // What fails must fail twice: these are real processes, on a machine that others load, too.
      if (failures(await smoke(place)).length === 0) {
        passed += 1;
        continue;
      }
      const wrong = failures(await smoke(place));
      if (wrong.length === 0) passed += 1;
      else failed += 1;
      console.log(wrong.length === 0 ? `  once more: ${name}` : `  ✘ [fail]: ${name}: ${wrong.join('; ')}`);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

main();
