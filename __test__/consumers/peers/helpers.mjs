// What the rows try the contestants with. Runs in Node, Bun and Deno.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';

const POLL_MS = 50;

/** The output of a command as text, whatever a contestant returns. */
export const text = (output) => (typeof output === 'string' ? output : new TextDecoder().decode(output));

export const fails = (promise) =>
  promise.then(
    () => false,
    () => true,
  );

let files = 0;
/** A new path each time, in a directory that is removed in the end. */
export const temporary = () => path.join(os.tmpdir(), `${process.pid}-${files++}`);

/** The process id that a command writes to `file`, as soon as it is there. */
export async function pidIn(file) {
  for (;;) {
    const content = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    if (content.endsWith('\n')) return Number(content);
    await setTimeout(POLL_MS);
  }
}

/** Whether the process runs. A zombie does not: what is left by its parent may be collected late. */
export function alive(pid) {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for the end of a process, and kills it if it has not ended after `limitMs`. Whether it ended by itself. */
export async function endsItself(pid, limitMs) {
  for (let waited = 0; waited < limitMs; waited += POLL_MS) {
    if (!alive(pid)) return true;
    await setTimeout(POLL_MS);
  }
  process.kill(pid, 'SIGKILL');
  return false;
}
