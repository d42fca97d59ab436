'use strict';

// Does an operation twice and prints what happened and what is left: node program.js OPERATION
//
//   OURS        the package; without it, Node's own module
//   MARK        the file to which a line is added between the two, where the calls are written down
//   PEER_FAULT, PEER_LOG   FAULT and FAULT_LOG for the first peer
//   LIMITS      what may be left, as a report has it; without it, what is left a while later is told

const fs = require('node:fs');
const { OPERATIONS } = require('./operations');

const WATCHDOG_MS = 6000;
const LIMITS = process.env.LIMITS && JSON.parse(process.env.LIMITS);
const { OURS, MARK, PEER_FAULT, PEER_LOG } = process.env;
for (const name of ['LIMITS', 'PEER_FAULT', 'PEER_LOG', 'MARK']) delete process.env[name];

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

function tally(names) {
  const counts = {};
  for (const name of names.sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const readOr = (none, read) => {
  try {
    return read();
  } catch {
    return none;
  }
};

// The Rust library opens it for good where getrandom() is refused.
const RANDOM = '/dev/urandom';

/** What this process has: of each kind, how many. Node's own threads are left out. */
function census() {
  const counts = (name) => name && name !== RANDOM && !name.startsWith('/proc/');
  const link = (fd) => readOr('', () => fs.readlinkSync(`/proc/self/fd/${fd}`)).replace(/[0-9]+/g, 'N');
  const thread = (id) => readOr('', () => fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
  const children = readOr('', () => fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')).trim();
  const state = (pid) => readOr('', () => /\) (\w)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))[1]);
  return {
    fds: tally(fs.readdirSync('/proc/self/fd').map(link).filter(counts)),
    threads: tally(
      fs
        .readdirSync('/proc/self/task')
        .map(thread)
        .filter((name) => name.startsWith('child-process')),
    ),
    children: tally(
      children
        .split(' ')
        .filter(Boolean)
        .map((pid) => (state(pid) === 'Z' ? 'zombie' : 'running')),
    ),
    handles: tally(process._getActiveHandles().map((handle) => handle.constructor.name)),
  };
}

// What the addon makes at its first need, for good, and the thread that shows it is there: whether a run needs it
// depends on the time it takes.
const MADE_LATE = {
  'child-process': { 'child-process': 4, 'anon_inode:[eventfd]': 2, 'anon_inode:[eventpoll]': 2 },
};
// Likewise: what a thread that waits for a child wakes the loop through.
const WAKER = { 'anon_inode:[eventfd]': 1 };

function allowed(name, now, limits, group) {
  const late = Object.keys(MADE_LATE)
    .filter((thread) => now.threads[thread])
    .map((thread) => MADE_LATE[thread]);
  return [WAKER, ...late].reduce((sum, counts) => sum + (counts[name] ?? 0), limits[group][name] ?? 0);
}

/** What of `now` is more than `limits` have. */
const excess = (now, limits) =>
  Object.keys(now).flatMap((group) =>
    Object.entries(now[group])
      .filter(([name, count]) => count > allowed(name, now, limits, group))
      .map(([name, count]) => `${group}: ${name} ${count} instead of ${allowed(name, now, limits, group)}`),
  );

async function settled() {
  if (!LIMITS) {
    await pause(500);
    return { census: census() };
  }
  for (let left = 100; left > 0; left--) {
    if (excess(census(), LIMITS).length === 0) return { excess: [] };
    await pause(25);
  }
  return { excess: excess(census(), LIMITS) };
}

const report = { runs: [] };
const print = () => fs.writeSync(1, `${JSON.stringify(report)}\n`);
const note = (...event) => report.runs.at(-1)?.push(event);

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => note('uncaught', error?.code ?? 'none', String(error?.stack)));
}

async function main() {
  const { run } = OPERATIONS[process.argv[2]];
  const watchdog = setTimeout(() => {
    report.hung = true;
    report.left = census();
    print();
    process.exit(0);
  }, WATCHDOG_MS);
  const cp = OURS ? require(OURS) : require('node:child_process');
  const promises = OURS && require(`${OURS}/promises`);
  const peer = { FAULT: PEER_FAULT, FAULT_LOG: PEER_LOG };
  for (const peerEnv of [peer, {}]) {
    report.runs.push([]);
    await run(cp, note, { promises, peerEnv: () => peerEnv });
    if (MARK) fs.appendFileSync(MARK, '|\n');
    process.env.FAULT_OVER = 'yes';
  }
  Object.assign(report, await settled());
  clearTimeout(watchdog);
  print();
}

main().catch((error) => {
  report.broken = String(error?.stack);
  print();
});
