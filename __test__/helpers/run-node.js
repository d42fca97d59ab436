'use strict';

// Runs a script in a node process of its own, always by the builtin, so that what is tested does not test itself.

const { spawn } = require('node:child_process');

const { environment } = require('../parity/harness');

/** Resolves with what the process wrote, how it ended, and whether it had to be killed. */
function runNode(args, { env = {}, cwd, timeout = 300_000, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env: environment(env), cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeout);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ stdout, stderr, code, signal, timedOut });
    });
  });
}

/** Runs a script that prints one JSON value as its last line, and gives that value; throws when it went wrong. */
async function valueFromNode(args, options) {
  const { stdout, stderr, code, signal, timedOut } = await runNode(args, options);
  if (code !== 0) throw new Error(`${timedOut ? 'timed out' : (signal ?? `exit code ${code}`)}\n${stdout}${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

module.exports = { runNode, valueFromNode };
