'use strict';

// After the first call of each kind no file of the published package is opened any more, least of all in an event:
// there may be no descriptor for it, no right to read it, or no file.

const test = require('ava');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');

const { stage } = require('../../scripts/staged');

/** Runs in a process of its own: does all that can happen to a child, and prints which files were loaded for it. */
function program() {
  const net = require('node:net');
  const { exec, fork, spawn, spawnSync } = require(process.argv[2]);
  if (process.argv[3] === 'child') {
    const loaded = new Set(Object.keys(require.cache));
    process.on('message', (message, handle) => {
      handle?.destroy();
      process.send(message);
      if (message === 'end')
        process.send(
          Object.keys(require.cache).filter((file) => !loaded.has(file)),
          () => process.disconnect(),
        );
    });
    return;
  }
  spawnSync('true');
  exec('true');
  spawn('true');
  const children = ['json', 'advanced'].map((serialization) =>
    fork(__filename, [process.argv[2], 'child'], { serialization }),
  );
  const loaded = new Set(Object.keys(require.cache));
  const late = new Set();
  for (const child of children) {
    child.on('message', (message) => {
      if (Array.isArray(message)) message.forEach((file) => late.add(file));
    });
    child.on('error', () => {});
    for (const message of [{ a: 1 }, 'text', 1, { text: 'x'.repeat(1 << 20) }]) child.send(message);
    try {
      child.send(() => {});
    } catch {
      // Not a message.
    }
    const server = net.createServer((socket) => {
      child.send('socket', socket);
      server.close();
      child.send('end', () => child.send('late', () => {}));
    });
    server.listen(0, () => net.connect(server.address().port).on('error', () => {}));
  }
  const touched = spawn('cat');
  touched.stdout.resume();
  touched.stdin.end('x');
  spawn('/none').on('error', () => {});
  exec('exit 1', () => {});
  exec('yes', { maxBuffer: 10 }, () => {});
  exec('sleep 100', { timeout: 1 }, () => {});
  try {
    spawnSync('');
  } catch {
    // It must not be empty.
  }
  process.on('exit', () => {
    for (const file of Object.keys(require.cache)) if (!loaded.has(file)) late.add(file);
    console.log(JSON.stringify([...late]));
  });
}

test('nothing is loaded after the first call of each kind has returned, in the parent and in the child', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'loaded-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const ours = stage(folder);
  const file = path.join(folder, 'program.js');
  fs.writeFileSync(file, `(${program})()`);
  const { stdout } = await promisify(execFile)(process.execPath, [file, ours]);
  t.deepEqual(JSON.parse(stdout), []);
});
