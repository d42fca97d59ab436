'use strict';

// `npm run test:faults`: each system call that the addon makes fails once, with each error that it may give, in the
// process that uses the package, in the process at the other end of a channel, and in a child before its exec.
//
//   --only OPERATION   that operation alone, or several of them
//   --call CALL        that call alone
//   --errno NAME       that error alone
//   --list             which calls are made, and nothing more
//   --jobs N           so many at a time; a run mostly waits for others

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { LIBRARY: AS_LIBRARY, compile, temporaryDirectory } = require('./build');
const { LASTING, LAUNCH, LIBRARY, REPEATED, isException, numberOf } = require('./calls');
const { judge } = require('./judge');
const { OPERATIONS } = require('./operations');

const ROOT = process.env.OURS ?? path.resolve(__dirname, '../..');
const PROGRAM = path.join(__dirname, 'program.js');
const LIMIT_MS = 12_000;

const { values: chosen } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(OPERATIONS) },
    call: { type: 'string' },
    errno: { type: 'string' },
    list: { type: 'boolean' },
    jobs: { type: 'string', default: String(2 * os.availableParallelism()) },
  },
});

const directory = temporaryDirectory();
const shim = compile(directory, 'shim', AS_LIBRARY);

/** Runs the program in a process group of its own, of which nothing is left afterwards. */
function execute(operation, env) {
  return new Promise((resolve) => {
    const options = {
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A warning that is printed makes process.stderr, which would count as left behind.
      env: { ...process.env, OURS: ROOT, LD_PRELOAD: shim, NODE_NO_WARNINGS: '1', ...env },
    };
    const child = spawn(process.execPath, [PROGRAM, operation], options);
    const killGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group has ended by itself.
      }
    };
    const timer = setTimeout(killGroup, LIMIT_MS);
    const outputs = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        outputs[name] += text;
      });
    }
    child.on('exit', () => killGroup());
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const line = outputs.stdout.split('\n').find((each) => each.startsWith('{'));
      resolve({ report: line && JSON.parse(line), code, signal, stderr: outputs.stderr });
    });
  });
}

/** The calls of a log, up to the end of the first run: for each, where it is made, in order. */
function callsIn(file) {
  const calls = new Map();
  if (!fs.existsSync(file)) return calls;
  const [log] = fs.readFileSync(file, 'utf8').split('|\n');
  for (const line of log.split('\n').filter(Boolean)) {
    const [call, site] = line.split(' ');
    calls.set(call, [...(calls.get(call) ?? []), site]);
  }
  return calls;
}

/** Which of the calls fail: at each place the first and the last, and the second of those that are repeated. */
function occurrences(call, sites) {
  const nths = new Set();
  for (const site of new Set(sites)) {
    const all = sites.flatMap((each, i) => (each === site ? [i + 1] : []));
    nths.add(all[0]).add(all.at(-1));
    if (all.length > 1 && REPEATED.includes(call)) nths.add(all[1]);
  }
  return [...nths].sort((a, b) => a - b);
}

function* combinationsOf(name, calls, side) {
  for (const [call, sites] of calls) {
    for (const nth of occurrences(call, sites)) {
      for (const error of LIBRARY[call] ?? []) yield { operation: name, side, call, error, nth };
    }
    if (!LASTING.includes(call)) continue;
    for (const error of LIBRARY[call]) yield { operation: name, side, call, error, nth: '1+' };
  }
}

/** What a run in which nothing fails does: the calls it makes, and what it leaves. */
async function observe(name) {
  const logs = { process: path.join(directory, `${name}.log`), peer: path.join(directory, `${name}.peer.log`) };
  const { report, stderr } = await execute(name, { FAULT_LOG: logs.process, MARK: logs.process, PEER_LOG: logs.peer });
  if (!report?.census) throw new Error(`${name} fails by itself: ${JSON.stringify(report)} ${stderr}`);
  return { name, limits: JSON.stringify(report.census), process: callsIn(logs.process), peer: callsIn(logs.peer) };
}

function combinations({ name, process: own, peer }) {
  const inChild = LAUNCH.filter(({ operations }) => operations.includes(name)).flatMap(({ call, errors }) =>
    errors.map((error) => ({ operation: name, side: 'launch', call, error, nth: 1 })),
  );
  return [...combinationsOf(name, own, 'process'), ...combinationsOf(name, peer, 'peer'), ...inChild]
    .filter(({ call, error }) => !isException(name, call, error))
    .filter(({ call, error }) => call.startsWith(chosen.call ?? '') && error === (chosen.errno ?? error));
}

const titleOf = ({ operation, side, call, error, nth }) => `${operation}, ${side}: ${call} ${nth} ${error}`;

async function attempt({ operation, side, call, error, nth }, limits) {
  const fault = `${side === 'launch' ? 'launch.' : ''}${call}:${numberOf(error)}:${nth}`;
  const outcome = await execute(operation, { LIMITS: limits, [side === 'peer' ? 'PEER_FAULT' : 'FAULT']: fault });
  return judge(OPERATIONS[operation], outcome);
}

function list(each) {
  for (const side of ['process', 'peer']) {
    for (const [call, sites] of each[side]) {
      const errors = LIBRARY[call] ?? ['no errors are known'];
      const which = `${sites.length} times, fails: ${occurrences(call, sites)}`;
      console.log(`${each.name}, ${side}: ${call} ${which}, with ${errors.join(' ')}`);
    }
  }
  console.log(`${each.name}: ${combinations(each).length} combinations`);
}

async function main() {
  const names = chosen.only.filter((name) => !OPERATIONS[name].needsRoot || process.getuid() === 0);
  const observed = [];
  for (const name of names) observed.push(await observe(name));
  if (chosen.list) {
    observed.forEach(list);
    return;
  }

  const waiting = observed.flatMap((each) =>
    combinations(each).map((combination) => ({ combination, limits: each.limits })),
  );
  const total = waiting.length;
  let failed = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const wrongAtFirst = await attempt(next.combination, next.limits);
      if (wrongAtFirst.length === 0) continue;
      // What fails must fail twice: these are thousands of runs of real processes, on a machine that others load, too.
      // But nothing excuses a panic.
      const isPanic = wrongAtFirst.some((reason) => reason.startsWith('a panic'));
      const wrong = isPanic ? wrongAtFirst : await attempt(next.combination, next.limits);
      if (wrong.length === 0) {
        console.log(`  once more: ${titleOf(next.combination)}: ${wrongAtFirst.join('; ')}`);
        continue;
      }
      failed += 1;
      console.log(`  ✘ [fail]: ${titleOf(next.combination)}: ${wrong.join('; ')}`);
    }
  };
  await Promise.all(Array.from({ length: Number(chosen.jobs) }, worker));
  console.log(`${total - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

main();
