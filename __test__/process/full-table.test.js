'use strict';

// A process whose table of descriptors is full for a while loses nothing that comes over a channel meanwhile.

const test = require('ava');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const { OURS } = require('../parity/harness');

const PROGRAM = path.join(__dirname, '../fixtures/full-table.js');
const COUNT = 12;
const LARGE = 1 << 20;
const numbers = Array.from({ length: COUNT }, (_, i) => i);

async function arrived(what) {
  const command = `ulimit -n 256; exec "$0" "$1" "$2" "$3"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, PROGRAM, OURS, what]);
  return JSON.parse(stdout);
}

for (const [what, title, expected] of [
  ['objects', 'objects from a native end', [...numbers, 'end']],
  ['large', 'a message that would come in shared memory', [LARGE, 'end']],
  ['large-advanced', 'a Buffer that would come in shared memory', [LARGE, 'end']],
  ['socket-then-messages', 'a socket, and the messages after it', ['socket', ...numbers, 'end']],
  ['to-child', 'sockets for a child whose own table is full', [COUNT]],
]) {
  test.serial(`${title}: all arrives, in order, where the table was full`, async (t) => {
    t.deepEqual(await arrived(what), expected);
  });
}
