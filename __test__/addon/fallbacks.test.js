'use strict';

// Where the kernel or a sandbox says no, other ways are taken to start and to reap. Each is forced by its switch, and
// has to behave just the same: a core of the parity scenarios, and a short soak.

const test = require('ava');
const path = require('node:path');

const { runNode } = require('../helpers/run-node');
const { OURS, register } = require('../parity/harness');

const LAUNCHERS = ['clone', 'fork'];
const REAPERS = ['clone_pidfd', 'pidfd_open', 'thread'];

const CORE = {
  path: [
    'a name that is nowhere',
    'a file that may not be executed',
    'a script without a shebang',
    'a shebang whose interpreter is missing',
    'files that are no programs',
  ],
  cwd: ['a string', 'a missing directory', 'a directory that may not be entered'],
  env: [
    'the given pairs, in their order, and nothing else',
    'without options.env the child gets what process.env holds',
  ],
  identity: [
    'argv0 is what the child finds as its own name',
    'uid and gid',
    'uid and gid of -1',
    'signals, masks and limits that the child starts with',
    'signals that the parent was started with as ignored',
    'detached makes the child the leader of a new session and group',
    'one who is not root may not become another',
  ],
  stdio: [
    'what the child finds: pipes and nothing',
    'what the child inherits',
    'inheriting in other places',
    'descriptors whose numbers cross',
    'numbers: descriptors of the parent',
    'more than three entries: data in both directions',
    'a bad descriptor beside pipes leaves nothing open',
    'a descriptor that the parent itself inherited, and whether it reaches the child',
    'stdio of the parent closed',
  ],
  'spawn-timeout': [
    'timeout kills with SIGTERM',
    'abort at once, after spawn() returned',
    'a signal that was aborted before',
  ],
  kill: [
    'every deadly signal by its name',
    'signal 0 asks whether it is there',
    'between the end and the event',
    'in the exit event, and in the close event',
    'at once, before the spawn event',
    'a program that kills itself',
    'exit codes',
    'unref lets the process end before the child',
    'unref and ref again',
    'a child that is not let go keeps the process alive',
    'process.exit() with live children',
  ],
  listeners: [
    'nothing is emitted before spawn() returned, nor before the ticks that were asked for',
    'spawn, exit, close: ticks and promises of one listener run before the next event',
    'AsyncLocalStorage reaches every listener',
    'an exception in a listener is an uncaught exception, and the process goes on',
  ],
  streams: ['5 MB in and out again', 'output that a grandchild writes after the child ended'],
  limits: ['one argument beyond the kernel’s limit', 'out of processes', 'a hundred children at once'],
};

// Not 'out of descriptors': how many a launch takes is the one thing in which they differ, and a waiting thread takes
// none.
for (const launcher of LAUNCHERS) {
  for (const reaper of REAPERS) {
    const env = { CHILD_PROCESS_RS_LAUNCHER: launcher, CHILD_PROCESS_RS_REAPER: reaper };
    const prefix = `${launcher}, ${reaper}: `;
    for (const [topic, only] of Object.entries(CORE)) {
      register(test, path.join(__dirname, '../parity/scenarios', `${topic}.js`), { only, prefix, env });
    }

    test(`${prefix}300 spawns leave nothing`, async (t) => {
      const { stdout, stderr, code, timedOut } = await runNode([path.join(__dirname, '../process/soak.js'), '320'], {
        env: { ...env, SOAK_SUBJECT: OURS },
      });
      t.false(timedOut);
      t.is(code, 0, stdout + stderr);
    });
  }
}
