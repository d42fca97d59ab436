'use strict';

// Runs every scenario of a topic under the builtin and under ours, each side in a fresh process, and hands out the two
// observations by scenario. All sides use the same directory, one after the other, so that paths need no normalising.
// A topic about the channel has several sides of ours: pairings.js.

const builtin = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { stripVTControlCharacters } = require('node:util');

const { ORACLE, OURS, settingsOf } = require('./pairings');

const RUNNERS_AT_ONCE = 3;
const RUNNER_MS = 600_000;
const LINGER_MS = 6000;
// What is a race under the builtin as well may go either way once, what is a difference does so every time: both sides
// run again, with pauses so many times as long, in case the machine is too busy for shorter ones.
const PATIENCE = [1, 4, 12];
const LOGGED_LINES = 40;
const SWITCHES = ['IMITATED_KERNEL', 'CHILD_PROCESS_RS_LAUNCHER', 'CHILD_PROCESS_RS_REAPER', 'PARITY_SCENARIO_MS'];

let running = 0;
const waiting = [];

async function withSlot(job) {
  if (running >= RUNNERS_AT_ONCE) await new Promise((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await job();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

// Nothing of the surrounding environment but what is listed: ava and npm add variables of their own. A home without any
// file: bash reads its ~/.bashrc where stdin is a socket, as a pipe of Node's is.
function environment(extra) {
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/nonexistent-home',
    LANG: 'C.UTF-8',
  };
  for (const name of SWITCHES) if (process.env[name] !== undefined) env[name] = process.env[name];
  return { ...env, ...extra };
}

// One runner process. Resolves with its lines, whether it ended by itself, and how.
function runOnce({ topic, side, serialization, dir, names, execArgv, env }) {
  const ends = { subject: side.subject, childEnd: side.childEnd, serialization };
  const args = [
    ...execArgv,
    path.join(__dirname, 'runner.js'),
    topic,
    JSON.stringify(ends),
    dir,
    JSON.stringify(names),
  ];
  const child = builtin.spawn(process.execPath, args, {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const lines = [];
  let rest = '';
  let output = '';
  let lingered = false;
  let lingerTimer;
  const limitTimer = setTimeout(() => child.kill('SIGKILL'), RUNNER_MS);

  function onLine(line) {
    lines.push(JSON.parse(line));
    if (!lines.at(-1).done) return;
    // Nothing is left to do: whatever keeps the process alive now is a leak.
    lingerTimer = setTimeout(() => {
      lingered = true;
      child.kill('SIGKILL');
    }, LINGER_MS);
  }

  child.stdio[3].setEncoding('utf8').on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    parts.forEach(onLine);
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });

  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      clearTimeout(limitTimer);
      clearTimeout(lingerTimer);
      // A child that outlives its runner may hold our pipes: give what is under way a moment, then let go.
      setTimeout(() => {
        for (const fd of [1, 2, 3]) child.stdio[fd].destroy();
        resolve({ lines, ending: lingered ? 'kept alive by something' : describeExit(code, signal), output });
      }, 50);
    });
  });
}

function describeExit(code, signal) {
  return signal ? `killed by ${signal}` : `exit code ${code}`;
}

// A scenario that takes the runner down with it is written down as crashed; the others go on in a new process.
async function runSide({ topic, side, serialization, dir, names, execArgv = [], env = {} }) {
  const observations = new Map();
  let remaining = names;
  let ending;
  while (remaining.length > 0) {
    const result = await runOnce({ topic, side, serialization, dir, names: remaining, execArgv, env });
    ending = result.ending;
    for (const { name, observation } of result.lines) if (observation) observations.set(name, observation);
    if (result.lines.at(-1)?.done) break;
    const culprit = result.lines.findLast(({ began }) => began)?.name ?? remaining[0];
    observations.set(culprit, { crashed: result.ending, output: result.output });
    remaining = remaining.slice(remaining.indexOf(culprit) + 1);
  }
  return { observations, ending };
}

/** What the oracle did, and what each of `sides` did by its name. */
async function runAll({ sides, ...job }) {
  const parent = fs.mkdtempSync(path.join(os.tmpdir(), 'parity-'));
  fs.chmodSync(parent, 0o755);
  const dir = path.join(parent, 'dir');
  try {
    const theirs = await runSide({ ...job, dir, side: ORACLE });
    const ours = new Map();
    for (const side of sides) ours.set(side.name, await runSide({ ...job, dir, side }));
    return { theirs, ours };
  } finally {
    fs.rmSync(parent, { recursive: true, force: true });
  }
}

/** The scenarios of `topic`, those that ask for a process of their own apart from those that can share one. */
function batches(topic) {
  const scenarios = require(topic);
  const shared = [];
  const alone = [];
  for (const name of Object.keys(scenarios)) (scenarios[name].alone ? alone : shared).push(name);
  return [shared, ...alone.map((name) => [name])].filter((names) => names.length > 0);
}

/** The two observations of each scenario whose name `wanted` accepts, and how each side's process ended. */
async function* compare(topic, wanted = () => true) {
  for (const { sides, serialization } of settingsOf(require(topic))) {
    for (const batch of batches(topic)) {
      const names = batch.filter(wanted);
      if (names.length === 0) continue;
      const { theirs, ours } = await runAll({ topic, names, sides, serialization, ...settings(topic, names[0]) });
      for (const [side, { observations, ending }] of ours) {
        const label = labelOf(topic, side, serialization);
        for (const name of names)
          yield { label, name, theirs: theirs.observations.get(name), ours: observations.get(name) };
        yield { label, name: 'the end of the process', theirs: theirs.ending, ours: ending };
      }
    }
  }
}

function settings(topic, name) {
  const { execArgv = [], env = {} } = require(topic)[name];
  return { execArgv, env };
}

function labelOf(topic, side, serialization) {
  const label = path.basename(topic, '.js');
  return serialization === undefined ? label : `${label} (${side}, ${serialization})`;
}

/**
 * Registers one ava test for each scenario of the topic, and one for the process that ran them; in each pairing, if it
 * has them.
 */
function register(test, topic, { only, prefix = '', env: extraEnv = {} } = {}) {
  for (const { sides, serialization } of settingsOf(require(topic))) {
    for (const batch of batches(topic)) {
      const names = only ? batch.filter((name) => only.includes(name)) : batch;
      if (names.length === 0) continue;
      const { execArgv, env } = settings(topic, names[0]);
      const runs = [];
      const run = (attempt) =>
        (runs[attempt] ??= withSlot(() =>
          runAll({
            topic,
            names,
            sides,
            serialization,
            execArgv,
            env: { PARITY_PATIENCE: PATIENCE[attempt], ...env, ...extraEnv },
          }),
        ));
      for (const { name: side } of sides)
        registerBatch(test, `${prefix}${labelOf(topic, side, serialization)}`, names, async (attempt) => {
          const { theirs, ours } = await run(attempt);
          return { theirs, ours: ours.get(side) };
        });
    }
  }
}

function registerBatch(test, label, names, run) {
  for (const name of names) {
    test(`${label}: ${name}`, (t) =>
      agree(t, run, (t, { theirs, ours }) => {
        const expected = theirs.observations.get(name);
        t.falsy(expected.crashed, `the builtin's side crashed: ${expected.crashed}\n${expected.output}`);
        t.not(expected.ended, 'timed out', "the builtin's side timed out");
        t.falsy(expected.ended?.failed, `the scenario itself failed: ${JSON.stringify(expected.ended?.failed)}`);
        t.falsy(
          ours.observations.get(name).crashed,
          `our side crashed: ${ours.observations.get(name).crashed}\n${ours.observations.get(name).output}`,
        );
        const { left, ...observed } = ours.observations.get(name);
        const { left: leftByBuiltin, ...observedOfBuiltin } = expected;
        t.deepEqual(observed, observedOfBuiltin);
        // The builtin itself leaks in places. Never more than it, and where it leaves nothing, nothing.
        if (left && leftByBuiltin) t.deepEqual(worse(left, leftByBuiltin), {});
      }));
  }
  test(`${label}: nothing keeps the process alive after ${names.length > 1 ? 'all of them' : names[0]}`, (t) =>
    agree(t, run, (t, { theirs, ours }) => {
      t.is(ours.ending, theirs.ending);
    }));
}

/** Has `check` look at the outcome of `run`, and where it differs at those of further runs, as many as there may be. */
async function agree(t, run, check) {
  for (let attempt = 0; ; attempt++) {
    const outcome = await run(attempt);
    const tried = await t.try((t) => check(t, outcome));
    if (tried.passed || attempt + 1 === PATIENCE.length) {
      tried.commit();
      return;
    }
    tried.discard();
    t.log(`differed in run ${attempt + 1} of ${PATIENCE.length}:`);
    for (const { message, formattedDetails } of tried.errors)
      t.log(message, ...formattedDetails.map(({ formatted }) => changedLines(formatted)));
  }
}

function changedLines(diff) {
  const lines = stripVTControlCharacters(diff).split('\n');
  const changed = lines.filter((line) => /^[-+]/.test(line));
  return (changed.length > 0 ? changed : lines).slice(0, LOGGED_LINES).join('\n');
}

function worse(left, allowed) {
  const found = {};
  if (left.fds > Math.max(0, allowed.fds)) found.fds = left.fds;
  if (left.zombies > Math.max(0, allowed.zombies)) found.zombies = left.zombies;
  const resources = [...left.resources];
  for (const name of allowed.resources) if (resources.includes(name)) resources.splice(resources.indexOf(name), 1);
  if (resources.length > 0) found.resources = resources;
  return found;
}

function topics() {
  const folder = path.join(__dirname, 'scenarios');
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Whether `topic` is about fork() or the channel. */
function isOfChannel(topic) {
  return /^(fork|channel)-/.test(path.basename(topic));
}

module.exports = { OURS, compare, environment, isOfChannel, register, topics, worse };
