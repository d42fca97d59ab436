'use strict';

// Commands end when this process does: when it exits, and when a signal ends it that it does not handle itself.

const { setImmediate } = require('node:timers');

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'];

// The runs of commands.
const running = new Set();
let isInstalled = false;
let isCheckDue = false;

function killAll() {
  running.forEach((run) => run.kill());
}

function onSignal(signal) {
  // Another listener decides what becomes of this process. If it exits, killAll() is called.
  if (process.listenerCount(signal) > 1) return;
  killAll();
  uninstall();
  process.kill(process.pid, signal);
}

function install() {
  isInstalled = true;
  process.on('exit', killAll);
  for (let i = 0; i < SIGNALS.length; i++) process.on(SIGNALS[i], onSignal);
}

function uninstall() {
  isInstalled = false;
  process.removeListener('exit', killAll);
  for (let i = 0; i < SIGNALS.length; i++) process.removeListener(SIGNALS[i], onSignal);
}

/** Has `run` end when this process does. */
function endWithProcess(run) {
  if (!isInstalled) install();
  running.add(run);
}

/** The command has ended. */
function forget(run) {
  if (!running.delete(run) || running.size > 0 || isCheckDue) return;
  // Not at once: of commands that run one after another, the next one starts in the same turn of the event loop, and
  // listening to signals anew would take as long as starting it.
  isCheckDue = true;
  setImmediate(() => {
    isCheckDue = false;
    if (isInstalled && running.size === 0) uninstall();
  }).unref();
}

module.exports = { endWithProcess, forget };
