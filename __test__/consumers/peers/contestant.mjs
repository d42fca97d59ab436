// One contestant of the table, in its own runtime. `contestant.mjs NAME` prints as JSON what each cell is to say.

import { spawnSync } from 'node:child_process';
import process from 'node:process';

import { fails, pidIn, temporary } from './helpers.mjs';
import { rows } from './rows.mjs';

/** What the cells are given: what a user imports, and `run`, which runs a program with arguments. */
const PEERS = {
  async ours() {
    const ours = await import('child-process-rs/promises');
    const { fork } = await import('child-process-rs');
    return { ...ours, fork, run: ([file, ...args], options) => ours.execFile(file, args, options) };
  },
  async execa() {
    const peer = await import('execa');
    return { ...peer, run: ([file, ...args], options) => peer.execa(file, args, options) };
  },
  async zx() {
    const { $ } = await import('zx');
    return { $, run: (command, options = {}) => $(options)`${command}` };
  },
  async nano() {
    const { default: spawn } = await import('nano-spawn');
    return { spawn, run: ([file, ...args], options) => spawn(file, args, options) };
  },
  bun() {
    const $ = (...template) => globalThis.Bun.$(...template).quiet();
    const run = (command, { env, signal } = {}) => {
      const running = $`${command}`;
      if (env) running.env(env);
      if (signal) running.signal?.(signal);
      return running;
    };
    return { $, run };
  },
  deno() {
    const { Command } = globalThis.Deno;
    return { Command, run: ([file, ...args], options) => new Command(file, { args, ...options }).output() };
  },
};

const RUNTIME = [process.execPath, ...(globalThis.Deno ? ['run', '-A'] : []), process.argv[1]];
const SLEEPING = ['sh', '-c', 'echo $$ >"$0"; exec sleep 30'];

/** Has a process of its own start a command, and exit while that runs. The command's process id. */
function leave(name) {
  const file = temporary();
  spawnSync(RUNTIME[0], [...RUNTIME.slice(1), name, file], { stdio: 'ignore' });
  return pidIn(file);
}

const [name, file] = process.argv.slice(2);
const peer = await PEERS[name]();
if (file) {
  fails(peer.run([...SLEEPING, file]));
  await pidIn(file);
} else {
  const cells = {};
  for (const [title, row] of Object.entries(rows)) {
    const cell = row[name];
    try {
      cells[title] = typeof cell === 'function' ? await cell({ ...peer, leave: () => leave(name) }) : cell;
    } catch (error) {
      cells[title] = String(error);
    }
  }
  const tried = Object.values(rows).filter((row) => typeof row[name] === 'function').length;
  const { bun, deno } = process.versions;
  console.log(JSON.stringify({ cells, tried, runtime: bun ?? deno }));
}
process.exit();
