'use strict';

// What a scenario gets as `t`: a place to write, a log, and ways to try things and write down how they went.

const builtin = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { describe } = require('./describe');
const { record } = require('./record');

const PATIENCE = Number(process.env.PARITY_PATIENCE ?? 1);

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

class Context {
  #log = [];
  #hidden = new Map();

  constructor({ cp, dir, subject, childEnd, serialization }) {
    this.cp = cp;
    this.dir = dir;
    this.subject = subject;
    this.childEnd = childEnd;
    this.serialization = serialization;
    this.describe = describe;
  }

  log(...items) {
    this.#log.push(items.map((item) => describe(item)));
  }

  get entries() {
    return this.#log;
  }

  /** From now on `text`, which differs from run to run, is shown as `label`. */
  hide(text, label) {
    this.#hidden.set(text, label);
  }

  record(child, options) {
    return record(child, { describe, ...options });
  }

  /** Calls `fn` and says what it threw or returned. */
  attempt(fn) {
    try {
      return { returned: describe(fn()) };
    } catch (error) {
      return { thrown: describe(error) };
    }
  }

  /** Calls `fn`, which spawns; says what it threw, or everything its child did. */
  async outcome(fn, options) {
    let child;
    try {
      child = fn();
    } catch (error) {
      return { thrown: describe(error) };
    }
    return this.record(child, options);
  }

  /** Writes a file into the scenario's directory, executable unless told otherwise; returns its path. */
  file(name, text, mode = 0o755) {
    const target = path.join(this.dir, name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
    fs.chmodSync(target, mode);
    return target;
  }

  /** A pause in which something else is to happen: longer where the harness has seen that it did not. */
  sleep(ms, value) {
    return sleep(ms * PATIENCE, value);
  }

  /** Resolves with whether `done()` has come to hold within `patienceMs`. */
  async until(done, patienceMs = 30_000) {
    const deadline = Date.now() + patienceMs;
    while (!done()) {
      if (Date.now() > deadline) return false;
      await sleep(5);
    }
    return true;
  }

  /**
   * Writes `fn` as a program that calls it with its arguments; returns the path. `fn` sees nothing of what surrounds
   * it.
   */
  program(fn, name = 'program.js') {
    return this.file(name, `(${fn})(...process.argv.slice(2))\n`, 0o644);
  }

  /** Forks `fn` (a program's path, or a function) with the serialization of the pairing. */
  fork(fn, { args = [], ...options } = {}) {
    const file = typeof fn === 'string' ? fn : this.program(fn);
    return this.cp.fork(file, args, { serialization: this.serialization, ...options });
  }

  /**
   * Runs `fn(cp, t, argument)` as a scenario in a node process of its own, and waits until that process ends by itself.
   * `fn` is carried over as text, so it sees nothing of what surrounds it.
   */
  inNewProcess(fn, { execArgv = [], env = {}, argument = null, prefix = [], input, timeout = 60_000, uid, gid } = {}) {
    const script = path.join(this.dir, 'scenario-in-new-process.js');
    const text = `module.exports = ${fn}\n`;
    // Not written again while another process may be reading it.
    if (!fs.existsSync(script) || fs.readFileSync(script, 'utf8') !== text)
      this.file(path.basename(script), text, 0o644);
    const ends = JSON.stringify({ subject: this.subject, childEnd: this.childEnd, serialization: this.serialization });
    const entry = [...execArgv, path.join(__dirname, 'nested.js'), ends, script, this.dir, JSON.stringify(argument)];
    const [file, ...args] = [...prefix, process.execPath, ...entry];
    return new Promise((resolve) => {
      const child = builtin.spawn(file, args, {
        env: { ...process.env, ...env },
        stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
        timeout,
        killSignal: 'SIGKILL',
        uid,
        gid,
      });
      // Node's own warnings name the process they come from.
      this.hide(`(node:${child.pid})`, '(node:<pid>)');
      const output = { 1: '', 2: '', 3: '' };
      for (const fd of [1, 2, 3])
        child.stdio[fd].setEncoding('latin1').on('data', (text) => {
          output[fd] += text;
        });
      child.stdin.on('error', () => {});
      child.stdin.end(input);
      child.on('close', (code, signal) => {
        const text = Buffer.from(output[3], 'latin1').toString();
        resolve({
          observed: text === '' ? null : JSON.parse(text),
          stdout: output[1],
          stderr: output[2],
          code,
          signal,
        });
      });
    });
  }

  /** The same data with everything hidden replaced. */
  finish(observation) {
    if (this.#hidden.size === 0) return observation;
    const pattern = new RegExp([...this.#hidden.keys()].map(escape).join('|'), 'g');
    const swap = (text) => text.replace(pattern, (found) => this.#hidden.get(found));
    return JSON.parse(JSON.stringify(observation), (key, value) => (typeof value === 'string' ? swap(value) : value));
  }
}

module.exports = { Context };
