'use strict';

// node examples/prefork-server/server.js [accept|shared] [workers] [port]
// An HTTP server in several processes. `accept`: this one accepts and hands each connection to the next worker.
// `shared`: every worker accepts by itself from the same listening server; what this process happens to accept it hands
// on. A worker that crashes is replaced, and takes nobody's requests with it but those it held.

const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');

const { fork } = require('../..');

const [mode = 'accept', count = '4', port = '0'] = process.argv.slice(2);

const workers = [];
// Connections that no worker is there for.
const waiting = [];
let turn = 0;

function hand(socket) {
  const worker = workers[turn++ % workers.length];
  if (!worker) {
    waiting.push(socket);
    return;
  }
  // Kept until the worker says that it has it, so that it is not lost if the worker dies first.
  worker.underWay.push(socket);
  worker.child.send('connection', socket, { keepOpen: true }, () => {});
}

function start(server) {
  const child = fork(path.join(__dirname, 'worker.js'));
  const worker = { child, underWay: [] };
  workers.push(worker);
  child.on('message', () => worker.underWay.shift().destroy());
  // All that it has said has come by now.
  child.once('disconnect', () => {
    workers.splice(workers.indexOf(worker), 1);
    if (!server.listening) return;
    start(server);
    for (const socket of worker.underWay) hand(socket);
  });
  child.on('error', (error) => console.error(error));
  if (mode === 'shared') child.send('server', server);
  for (const socket of waiting.splice(0)) hand(socket);
}

async function main() {
  const server = net.createServer({ pauseOnConnect: true }, hand);
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
