'use strict';

// A live child costs one descriptor beside those of its pipes: its process descriptor, where the kernel has those.

const test = require('ava');
const { once } = require('node:events');
const fs = require('node:fs');
const { Worker } = require('node:worker_threads');

const { hasProcessFds } = require('../helpers/kernel');
const { countZombies, until } = require('../helpers/settle');
const { OURS } = require('../parity/harness');

const ours = require(OURS);

const COUNT = 50;

const openFds = () => fs.readdirSync('/proc/self/fd').length;

/** How many process descriptors this process has. */
function countProcessFds() {
  const isProcess = (fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).includes('pidfd');
    } catch {
      // Closed meanwhile: the list names the descriptor that it was read through, too.
      return false;
    }
  };
  return fs.readdirSync('/proc/self/fd').filter(isProcess).length;
}

const sleepers = (count, stdio) => Array.from({ length: count }, () => ours.spawn('sleep', ['1000'], { stdio }));

/** Ends children by `kill`, and gives how they ended. */
async function endAll(children, kill) {
  const endings = children.map((child) => once(child, 'exit'));
  children.forEach(kill);
  return Promise.all(endings);
}

test.serial.before('what the first child opens for all of them', async () => {
  const [child] = sleepers(1, 'ignore');
  await endAll([child], () => child.kill('SIGKILL'));
});

const own = hasProcessFds ? 1 : 0;

for (const [stdio, each] of [
  ['ignore', own],
  ['pipe', own + 3],
]) {
  test.serial(
    `live children with stdio '${stdio}' cost ${each} descriptors each, are signalled and heard of`,
    async (t) => {
      const before = openFds();
      const children = sleepers(COUNT, stdio);
      t.true(await until(() => openFds() === before + each * COUNT));
      t.true(children.every((child) => child.kill(0)));

      const endings = await endAll(children, (child, i) =>
        i % 2 === 0 ? child.kill('SIGTERM') : process.kill(child.pid, 'SIGKILL'),
      );
      t.deepEqual(
        endings,
        children.map((_, i) => [null, i % 2 === 0 ? 'SIGTERM' : 'SIGKILL']),
      );
      t.false(children[0].kill());
      t.true(await until(() => openFds() === before && countZombies() === 0));
    },
  );
}

test.serial(
  'more children live than this process may have descriptors, and some are left to the program',
  async (t) => {
    const script = `
    const ours = require(${JSON.stringify(OURS)})
    const children = Array.from({ length: 150 }, () => ours.spawn('sleep', ['1000'], { stdio: 'ignore' }))
    for (let i = 0; i < 20; i++) fs.openSync('/dev/null')
    let left = children.length
    for (const child of children) child.on('exit', () => --left || console.log('all ended')).kill()`;
    const { status, stdout, stderr } = ours.spawnSync(
      'sh',
      ['-c', 'ulimit -n 100; exec "$0" -e "$1"', process.execPath, script],
      { encoding: 'utf8' },
    );
    t.is(stdout, 'all ended\n', stderr);
    t.is(status, 0);
  },
);

test.serial('a Worker that is terminated lets go of what is kept for it', async (t) => {
  const script = `
    const { parentPort } = require('node:worker_threads')
    const ours = require(${JSON.stringify(OURS)})
    const children = Array.from({ length: 10 }, () => ours.spawn('sleep', ['1000'], { stdio: 'ignore' }))
    parentPort.postMessage(children.map(({ pid }) => pid))`;
  const run = async () => {
    const worker = new Worker(script, { eval: true });
    const [pids] = await once(worker, 'message');
    await worker.terminate();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    t.true(await until(() => countZombies() === 0));
    // The thread that reaps a child closes its process descriptor a moment later.
    t.true(await until(() => countProcessFds() === 0));
  };
  // The first one starts the thread that reaps what a Worker has left.
  await run();
  const before = openFds();
  await run();
  t.true(await until(() => openFds() === before));
});
