'use strict';

// The native end of a channel in a child. The parent announces it in the child's environment, and has Node load this
// file before any code of the program. This file removes the announcement from the environment. It delays the start of
// every child, so it loads as little as possible.

const VARIABLE = 'CHILD_PROCESS_RS_CHANNEL';
const BINARY = 'CHILD_PROCESS_RS_BINARY';
const OPTIONS = 'NODE_OPTIONS';
// The id of a cluster worker, which Node would read before our channel exists.
const WORKER = 'NODE_UNIQUE_ID';
const FILE = `${__dirname}/native-end.js`;
const REQUIRE = `--require ${JSON.stringify(FILE)}`;

function takeAnnounced() {
  const { env } = process;
  const announced = JSON.parse(env[VARIABLE]);
  delete env[VARIABLE];
  const options = env[OPTIONS] ?? '';
  if (options.startsWith(REQUIRE)) {
    if (announced.hadOptions) env[OPTIONS] = options.slice(REQUIRE.length + 1);
    else delete env[OPTIONS];
  }
  // A new list, because Node is iterating over the old one.
  const { _preload_modules: preloads } = process;
  if (preloads?.[0] === FILE) Object.defineProperty(process, '_preload_modules', { value: preloads.slice(1) });
  return announced;
}

function setUp({ fd, secret, ...options }) {
  const { native } = require('../addon/native');
  if (native === null) throw new Error('there is no addon for this Node');
  // Before the addon records which descriptors this process passes on.
  native.closeOnExec(fd);
  const { runtime } = require('../addon/runtime');
  const { Link, setUpChannel } = require('./channel');
  const link = new Link(process);
  native.openChannel(runtime, fd, { ...options, introduces: secret }, link);
  const control = setUpChannel(process, link, 0);
  const isCounted = (name) => name === 'message' || name === 'disconnect';
  process.on('newListener', (name) => {
    if (isCounted(name)) control.refCounted();
  });
  process.on('removeListener', (name) => {
    if (isCounted(name)) control.unrefCounted();
  });
}

/** Makes this process a cluster worker, as Node does at the start of one. */
function becomeWorker(id) {
  process.env[WORKER] = id;
  if (!process.argv[1]) return;
  /** @type {any} */ (require('node:cluster'))._setupWorker();
  delete process.env[WORKER];
}

// In the child itself, and neither in its Workers nor in its own children.
if (process.env[VARIABLE]?.startsWith('{')) {
  const announced = takeAnnounced();
  try {
    if (!process.send) setUp(announced);
  } catch {
    // Without the addon the child gets the builtin's end.
    if (!process.send) require('node:child_process')._forkChild(announced.fd, announced.serialization);
  }
  if (announced.hasBinary) delete process.env[BINARY];
  if (announced.worker !== undefined) becomeWorker(announced.worker);
}

module.exports = { REQUIRE };
