'use strict';

// A trial's process and all that it starts, as one process group that can always be ended.
// The builtin's spawn is used on purpose: the bench must not depend on what it measures.

const { spawn } = require('node:child_process');
const { parseReport } = require('./report-line');

const running = new Set();

// In any other locale glibc's programs first load a dozen files, which takes as long as a launch and is nobody's merit.
const env = { ...process.env, LC_ALL: 'C' };

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody of the group is left, which is what we want.
  }
}

/** Ends every group that is still running; called when the bench itself is interrupted. */
function killAll() {
  for (const pid of running) killGroup(pid);
}

/**
 * Starts `[file, ...args]`. `reported` settles on its first report line, `stop()` kills the group and waits until it is
 * reaped.
 */
function start([file, ...args], timeoutMs) {
  const child = spawn(file, args, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid !== undefined) running.add(child.pid);
  let out = '';
  let err = '';
  child.stderr.on('data', (data) => {
    err = (err + data).slice(-4000);
  });
  const closed = new Promise((resolve) => child.once('close', resolve));

  const reported = new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}: ${[file, ...args].join(' ')}\n${err.trimEnd()}`));
    const timer = setTimeout(() => fail(`no result in ${timeoutMs} ms`), timeoutMs);
    child.once('error', (error) => fail(error.message));
    child.stdout.on('data', (data) => {
      out += data;
      const value = parseReport(out);
      if (value !== undefined) resolve(value);
    });
    child.once('close', (code, signal) => fail(`ended with ${signal ?? code} before it reported`));
    const done = () => clearTimeout(timer);
    closed.then(done);
  });

  async function stop() {
    if (child.pid === undefined) return;
    killGroup(child.pid);
    // A straggler that left the group may hold the pipes open; what it prints no longer matters.
    child.stdout.destroy();
    child.stderr.destroy();
    await closed;
    running.delete(child.pid);
  }

  return { reported, stop };
}

module.exports = { start, killAll };
