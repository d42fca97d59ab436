'use strict';

// What a scenario may leave behind: descriptors, zombies, handles that keep the loop alive.

const fs = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const PATIENCE_MS = 500 * Number(process.env.PARITY_PATIENCE ?? 1);

// What an event loop needs for itself: made when first needed, which may be in the middle of any scenario, kept for
// good.
const OF_THE_LOOP = ['anon_inode:[eventfd]', 'anon_inode:[eventpoll]'];

/**
 * The way to the thread that keeps process descriptors is such, too; no other socket of the tests is a SOCK_SEQPACKET.
 */
function keepersSockets() {
  const rows = fs
    .readFileSync('/proc/net/unix', 'latin1')
    .split('\n')
    .map((line) => line.split(/ +/));
  return rows.filter(([, , , , type]) => type === '0005').map((row) => `socket:[${row[6]}]`);
}

/** What the descriptors of this process are. */
function links() {
  return fs.readdirSync('/proc/self/fd').map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return 'closed';
    }
  });
}

function countFds() {
  const ofTheLoop = new Set([...OF_THE_LOOP, ...keepersSockets()]);
  return links().filter((link) => !ofTheLoop.has(link)).length;
}

/**
 * All of them, for long runs, in which even a loop's own would add up; but for the one way to that thread, of two ends
 * at first.
 */
function countAllFds() {
  const all = links();
  const keepers = new Set(keepersSockets());
  return all.length - Math.min(2, all.filter((link) => keepers.has(link)).length);
}

function parseStat(text) {
  // The command name stands in parentheses and may hold anything; what follows its last ')' is regular.
  const [state, ppid] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state, ppid: Number(ppid) };
}

function childrenOf(parent) {
  const found = [];
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const { state, ppid } = parseStat(fs.readFileSync(`/proc/${entry}/stat`, 'latin1'));
      if (ppid === parent) found.push({ pid: Number(entry), state });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

function countZombies(parent = process.pid) {
  return childrenOf(parent).filter(({ state }) => state === 'Z').length;
}

function snapshot() {
  return { fds: countFds(), zombies: countZombies(), resources: process.getActiveResourcesInfo().sort() };
}

function difference(before, after) {
  const resources = [...after.resources];
  for (const name of before.resources) {
    const at = resources.indexOf(name);
    if (at >= 0) resources.splice(at, 1);
  }
  return { fds: after.fds - before.fds, zombies: after.zombies - before.zombies, resources };
}

function isClean({ fds, zombies, resources }) {
  return fds <= 0 && zombies <= 0 && resources.length === 0;
}

/** What is there now and was not in `before`, after things had time to settle. */
async function leftovers(before, patienceMs = PATIENCE_MS) {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const left = difference(before, snapshot());
    if (isClean(left) || Date.now() > deadline) return left;
    await sleep(5);
  }
}

module.exports = { childrenOf, countAllFds, countFds, countZombies, leftovers, snapshot };
