'use strict';

// `node __test__/channel/handles-soak.js [100000]`: that many sockets passed in batches to workers, of which one is
// killed now and then. Each connection has an owner: its client is answered, or sees the end of the worker that held
// it. Ends with what is left over as one line of JSON; the exit code says whether it is nothing. SOAK_SUBJECT names
// another module to try.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');

const { countAllFds } = require('../parity/leftovers');
const { until } = require('../helpers/settle');

const SUBJECT = process.env.SOAK_SUBJECT ?? path.resolve(__dirname, '../../index.js');
const TOTAL = Number(process.argv[2] ?? 100_000);

const WORKERS = 3;
const BATCH = 200;
const KILL_EVERY = 5;
const PATIENCE_MS = 30_000;

// The same numbers in each run.
let state = 1;
function random(below) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state % below;
}

function child() {
  process.on('message', (message, socket) => {
    if (message === 'count') process.send(countAllFds());
    else
      socket
        .on('error', () => {})
        .resume()
        .end('x');
  });
  process.send('ready');
}

async function fork() {
  const worker = require(SUBJECT).fork(__filename);
  worker.on('error', () => {});
  await once(worker, 'message');
  return worker;
}

async function countFds(worker) {
  worker.send('count');
  return (await once(worker, 'message'))[0];
}

/** Resolves with whether it was answered, at the end of the connection. */
function connect(port) {
  return new Promise((resolve) => {
    let isAnswered = false;
    net
      .connect(port, '127.0.0.1')
      .on('data', () => {
        isAnswered = true;
      })
      .on('error', () => {})
      .on('close', () => resolve(isAnswered));
  });
}

async function batch(server, workers, victim) {
  const clients = [];
  for (let i = 0; i < BATCH; i++) {
    const accepted = once(server, 'connection');
    clients.push(connect(server.address().port));
    const [socket] = await accepted;
    // Where the channel is closed already the socket stays ours.
    workers[i % WORKERS].send(i, socket, (error) => error && socket.destroy());
    if (i === victim) workers[random(WORKERS)].kill('SIGKILL');
  }
  return (await Promise.all(clients)).filter((isAnswered) => isAnswered).length;
}

async function main() {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let workers = [];
  for (let i = 0; i < WORKERS; i++) workers.push(await fork());
  // What the first ones make, descriptors of the loop's own, stays.
  await batch(server, workers, -1);
  const before = { here: countAllFds(), there: await countFds(workers[0]) };
  const batches = Math.ceil(TOTAL / BATCH);
  let answered = 0;
  let killed = 0;
  for (let i = 0; i < batches; i++) {
    const kills = i % KILL_EVERY === KILL_EVERY - 1;
    answered += await batch(server, workers, kills ? random(BATCH) : -1);
    const dead = workers.filter((worker) => worker.killed);
    await Promise.all(dead.map((worker) => worker.connected && once(worker, 'disconnect')));
    killed += dead.length;
    workers = await Promise.all(workers.map((worker) => (worker.killed ? fork() : worker)));
  }
  await until(() => countAllFds() <= before.here, PATIENCE_MS);
  const fdsThere = await Promise.all(workers.map(countFds));
  const fdGrowth = [countAllFds() - before.here, ...fdsThere.map((count) => count - before.there)];
  for (const worker of workers) worker.disconnect();
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  server.close();
  const lost = batches * BATCH - answered;
  // Without a kill none is lost; a victim holds its part of one batch at most.
  const clean = fdGrowth.every((growth) => growth <= 0) && lost <= killed * BATCH;
  console.log(JSON.stringify({ clean, total: batches * BATCH, answered, lost, killed, fdGrowth }));
  process.exitCode = clean ? 0 : 1;
}

if (process.connected) child();
else main();
