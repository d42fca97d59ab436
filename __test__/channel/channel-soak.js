'use strict';

// `node --expose-gc __test__/channel/channel-soak.js [1000000] [json|advanced]`: that many messages each way at the
// same time, twice, most of them small and one in a thousand up to 1 MB, both readers stalling at random. Each end
// checks that every message arrives once, in order, unchanged. Ends with what the second time has left over as one
// line of JSON; the exit code says whether it is nothing. SOAK_SUBJECT names another module to try.

const path = require('node:path');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

const { countAllFds } = require('../parity/leftovers');

const SUBJECT = process.env.SOAK_SUBJECT ?? path.resolve(__dirname, '../../index.js');
const TOTAL = Number(process.argv[2] ?? 1_000_000);
const SERIALIZATION = process.argv[3] ?? 'json';

const LARGE_EVERY = 1000;
const LARGEST = 1 << 20;
const BURST = 200;
const STALL_MS = 20;
// A second, and the reactor's own pace.
const SHARED_MS = 1500;
// What V8 and the allocator keep for themselves differs from run to run.
const RSS_SLACK_MB = 32;

// The same numbers at both ends, so that each knows what the other has to send.
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function* messages(seed, total) {
  const next = random(seed);
  for (let i = 0; i < total; i++) {
    const letter = String.fromCharCode(97 + (i % 26));
    if (i % LARGE_EVERY !== LARGE_EVERY - 1) yield { i, number: next(), list: [i % 7, 'x'.repeat(i % 20)] };
    // Alone they take a way of their own in the advanced mode.
    else if (SERIALIZATION === 'advanced' && next() < 1 / 2) yield Buffer.alloc(next() * LARGEST + 1, letter);
    else yield { i, text: letter.repeat(next() * LARGEST) };
  }
}

function isSame(one, other) {
  if (Buffer.isBuffer(one)) return Buffer.isBuffer(other) && one.equals(other);
  return (
    one.i === other.i &&
    one.text === other.text &&
    one.number === other.number &&
    String(one.list) === String(other.list)
  );
}

async function sendAll(target, seed, total) {
  let count = 0;
  let hasRoom = true;
  for (const message of messages(seed, total)) {
    if (!hasRoom || count % BURST === 0)
      await new Promise((resolve) => (hasRoom ? setImmediate(resolve) : target.send({ wait: true }, resolve)));
    hasRoom = target.send(message);
    count++;
  }
  target.send({ end: true });
}

/** Resolves when all have come, with the number of the first that was wrong, or -1. */
function receiveAll(target, seed, total) {
  const expected = messages(seed, total);
  const stalls = random(seed + 1);
  let wrong = -1;
  let count = 0;
  return new Promise((resolve) => {
    target.on('message', function take(message) {
      if (message.wait) return;
      if (message.end) {
        target.off('message', take);
        resolve({ wrong, count });
        return;
      }
      const { value } = expected.next();
      const isRight = value !== undefined && isSame(value, message);
      if (!isRight && wrong === -1) wrong = count;
      count++;
      if (stalls() < 1 / 5000) for (const until = Date.now() + stalls() * STALL_MS; Date.now() < until;);
    });
  });
}

async function round(target, seeds, total) {
  const [received] = await Promise.all([receiveAll(target, seeds.theirs, total), sendAll(target, seeds.ours, total)]);
  return received;
}

async function child() {
  process.channel.ref();
  process.on('message', async ({ round: total }) => {
    if (total === undefined) return;
    process.send({
      done: await round(process, { ours: 2, theirs: 1 }, total),
      memory: await memoryMb(),
      fds: countAllFds(),
    });
  });
}

/**
 * What is in use once the memory that both share is given up: V8's own, too, which keeps pages that it does not count
 * as its heap.
 */
async function memoryMb() {
  await sleep(SHARED_MS);
  for (let i = 0; i < 3; i++) {
    global.gc?.();
    await sleep(50);
  }
  return process.memoryUsage.rss() / 1e6;
}

async function play(forked, total) {
  const reported = new Promise((resolve) => {
    forked.on('message', function take(message) {
      if (!message.done) return;
      forked.off('message', take);
      resolve(message);
    });
  });
  forked.send({ round: total });
  const here = await round(forked, { ours: 1, theirs: 2 }, total);
  const { done: there, memory, fds } = await reported;
  return { here, there, memory: [await memoryMb(), memory], fds: [countAllFds(), fds] };
}

async function main() {
  const forked = require(SUBJECT).fork(__filename, process.argv.slice(2), {
    serialization: SERIALIZATION,
    execArgv: ['--expose-gc'],
  });
  // Once before, so that every allocator has what it keeps.
  const before = await play(forked, TOTAL);
  const began = performance.now();
  const after = await play(forked, TOTAL);
  const seconds = (performance.now() - began) / 1000;
  const growth = after.memory.map((memory, end) => Number((memory - before.memory[end]).toFixed(1)));
  const fdGrowth = after.fds.map((count, end) => count - before.fds[end]);
  forked.disconnect();
  await once(forked, 'exit');
  const arrived = [after.here, after.there].every(({ wrong, count }) => wrong === -1 && count === TOTAL);
  const clean =
    arrived && growth.every((megabytes) => megabytes < RSS_SLACK_MB) && fdGrowth.every((count) => count <= 1);
  console.log(
    JSON.stringify({
      clean,
      arrived,
      here: after.here,
      there: after.there,
      memoryGrowthMb: growth,
      fdGrowth,
      seconds: Number(seconds.toFixed(1)),
    }),
  );
  process.exitCode = clean ? 0 : 1;
}

if (process.connected) child();
else main();
