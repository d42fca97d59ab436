'use strict';

// An HTTP server in several processes: node examples/prefork-server/server.js [accept|shared] [workers] [port]
// `accept`: this process accepts connections and sends each to the next worker.
// `shared`: every worker gets the listening server and accepts connections itself; this process sends those that it
// accepts to a worker.
// If a worker crashes, it is replaced. Only the connections that it has confirmed are lost.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');

const { fork } = require('../..');

const [mode = 'accept', count = '4', port = '0'] = process.argv.slice(2);

const workers = [];
// Connections that wait because there is no worker.
const waiting = [];
let turn = 0;

function pass(socket) {
  const worker = workers[turn++ % workers.length];
  if (!worker) {
    waiting.push(socket);
    return;
  }
  // Kept until the worker confirms it, so that it can be sent to another one if this worker crashes first.
  worker.underWay.push(socket);
  worker.child.send('connection', socket, { keepOpen: true }, () => {});
}

function start(server) {
  const child = fork(path.join(__dirname, 'worker.js'));
  const worker = { child, underWay: [] };
  workers.push(worker);
  child.on('message', () => worker.underWay.shift().destroy());
  // All its messages have arrived by now.
  child.once('disconnect', () => {
    workers.splice(workers.indexOf(worker), 1);
    if (!server.listening) return;
    start(server);
    for (const socket of worker.underWay) pass(socket);
  });
  child.on('error', (error) => console.error(error));
  if (mode === 'shared') child.send('server', server);
  for (const socket of waiting.splice(0)) pass(socket);
}

async function main() {
  const server = net.createServer({ pauseOnConnect: true }, pass);
  server.listen(Number(port), '127.0.0.1');
  await once(server, 'listening');
  for (let i = 0; i < Number(count); i++) start(server);
  console.log(`http://127.0.0.1:${server.address().port} (${mode}, ${count} workers)`);
  process.once('SIGTERM', () => {
    server.close();
    for (const { child } of workers) child.disconnect();
  });
}

main();
