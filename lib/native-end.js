'use strict';

// The native end of a channel in a child: the parent says in the child's environment that there is to be one, and has Node
// load this file there first, before any code of the program runs. What it says it takes out of the environment again. It
// is a part of every start of a child, so little is loaded, and the rest when it is needed.

const VARIABLE = 'CHILD_PROCESS_RS_CHANNEL';
const BINARY = 'CHILD_PROCESS_RS_BINARY';
const OPTIONS = 'NODE_OPTIONS';
// The id of a worker of cluster's, which Node looks for before there is our channel.
const WORKER = 'NODE_UNIQUE_ID';
const REQUIRE = `--require ${JSON.stringify(__filename)}`;
// With one of these the addon could not be loaded, or not even the preload; or NODE_OPTIONS means something else.
const FORBIDDING = ['--permission', '--experimental-permission', '--permission-audit', '--no-addons', '--env-file', '--env-file-if-exists', '--watch', '--watch-path'];

// A child's start waits for this file, and needs none of these.
const lazy = {
  get arrays() {
    return require('./arrays');
  },
};

function forbids(option) {
  return lazy.arrays.some(FORBIDDING, (name) => option === name || option.startsWith(`${name}=`));
}

/** Whether this Node runs a script that is not in a file of its own. */
function isSingleExecutable() {
  try {
    return require('node:sea').isSea();
  } catch {
    // Node 20.0 to 20.11 have no such module.
    return false;
  }
}

/** Whether a child of these options is this very Node, may load the addon, and nobody has asked for the builtin's end. */
function mayBeNative({ execPath, env = process.env, uid, gid, nativeChannel }, execArgv) {
  const isWanted = nativeChannel !== false && process.env[VARIABLE] !== 'builtin' && env[VARIABLE] !== 'builtin';
  const isThisNode = execPath === process.execPath && !process.versions.electron && !isSingleExecutable();
  // Another user might not be able to read our files.
  const isThisUser = uid === undefined && gid === undefined;
  const { concat, map, some } = lazy.arrays;
  const flags = map(concat(execArgv, String(env[OPTIONS] ?? '').split(/\s+/)), String);
  return isWanted && isThisNode && isThisUser && process.permission === undefined && !some(flags, forbids);
}

/** Where a variable is in an environment, `NAME=value` strings; -1: it is not set. */
function placeOf(envPairs, name) {
  return lazy.arrays.findIndex(envPairs, (pair) => pair.startsWith(`${name}=`));
}

/** Sets a variable, in its place where it has one: the order of the environment can be seen. */
function set(envPairs, name, value) {
  const place = placeOf(envPairs, name);
  envPairs[place === -1 ? envPairs.length : place] = `${name}=${value}`;
}

/** Takes the entry at `place` out of an environment; returns it. */
function takeOut(envPairs, place) {
  const pair = envPairs[place];
  for (let i = place + 1; i < envPairs.length; i++) envPairs[i - 1] = envPairs[i];
  envPairs.length--;
  return pair;
}

/**
 * Puts the end at descriptor `fd` into the environment, `NAME=value` strings, of a child. Returns the secret with which the child
 * introduces itself; whatever else may run in its place does not know it.
 */
function announce(envPairs, fd, { serialization, busyPoll, maxMessageSize }) {
  // Another channel's, that the caller passes on.
  const ofOthers = placeOf(envPairs, 'NODE_CHANNEL_FD');
  if (ofOthers !== -1) takeOut(envPairs, ofOthers);
  const given = envPairs[placeOf(envPairs, OPTIONS)]?.slice(OPTIONS.length + 1);
  set(envPairs, OPTIONS, `${REQUIRE} ${given ?? ''}`);
  const { native, file } = require('./native');
  const secret = native.secret();
  const mode = serialization === 'advanced' ? 'advanced' : 'json';
  const fields = { fd, serialization: mode, secret, busyPoll, maxMessageSize, hadOptions: given !== undefined };
  if (placeOf(envPairs, BINARY) === -1) {
    // It need not look for it again.
    fields.hasBinary = true;
    lazy.arrays.append(envPairs, `${BINARY}=${file}`);
  }
  const worker = placeOf(envPairs, WORKER);
  if (worker !== -1) fields.worker = takeOut(envPairs, worker).slice(WORKER.length + 1);
  // Anything but `builtin` that is there means nothing, and would be found first.
  set(envPairs, VARIABLE, JSON.stringify(fields));
  return secret;
}

function takeAnnounced() {
  const { env } = process;
  const announced = JSON.parse(env[VARIABLE]);
  delete env[VARIABLE];
  const options = env[OPTIONS] ?? '';
  if (options.startsWith(REQUIRE)) {
    if (announced.hadOptions) env[OPTIONS] = options.slice(REQUIRE.length + 1);
    else delete env[OPTIONS];
  }
  // A new list: Node is in the middle of the other.
  const { _preload_modules: preloads } = process;
  if (preloads?.[0] === __filename) Object.defineProperty(process, '_preload_modules', { value: preloads.slice(1) });
  return announced;
}

function setUp({ fd, secret, ...options }) {
  const { native } = require('./native');
  if (native === null) throw new Error('there is no addon for this Node');
  // Before the addon notes which descriptors this process passes on.
  native.closeOnExec(fd);
  const control = require('./channel').setUpChannel(process, fd, { ...options, introduces: secret });
  const isCounted = (name) => name === 'message' || name === 'disconnect';
  process.on('newListener', (name) => {
    if (isCounted(name)) control.refCounted();
  });
  process.on('removeListener', (name) => {
    if (isCounted(name)) control.unrefCounted();
  });
}

/** Makes this process the worker of cluster's that it is to be, as Node does it at the start of one. */
function becomeWorker(id) {
  process.env[WORKER] = id;
  if (!process.argv[1]) return;
  require('node:cluster')._setupWorker();
  delete process.env[WORKER];
}

// In the child itself, and neither in its Workers nor in its own children.
if (process.env[VARIABLE]?.startsWith('{')) {
  const announced = takeAnnounced();
  try {
    if (!process.send) setUp(announced);
  } catch {
    // Without the addon the child is as the builtin would have made it.
    if (!process.send) require('node:child_process')._forkChild(announced.fd, announced.serialization);
  }
  if (announced.hasBinary) delete process.env[BINARY];
  if (announced.worker !== undefined) becomeWorker(announced.worker);
}

module.exports = { announce, mayBeNative };
