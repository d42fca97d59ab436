'use strict';

// One burst: `burst.js SUBJECT KIND COUNT DIRECTION` prints how long it took, in ms. SUBJECT is the folder of this
// package, builtin, or worker, which is worker_threads' postMessage.

const net = require('node:net');

const [, , subject, kind, countText, direction, role] = process.argv;
const count = Number(countText);

const SHAPES = Array.from({ length: 97 }, (_, shape) =>
  Object.fromEntries(
    Array.from({ length: 1 + (shape % 7) }, (_, index) => [
      `k${shape}_${index}`,
      index % 2 ? `text ${shape}` : shape * index,
    ]),
  ),
);

// Made before the clock starts, as `performance` is loaded.
const make = kind === 'shapes' ? (n) => SHAPES[n % SHAPES.length] : require('../channel/payloads')[kind]?.().make;
const { performance } = require('node:perf_hooks');

/** A parent or child to talk to: `send`, `onMessage(listener)`, `end`. */
function endOf(process_) {
  return {
    send: (message, handle) => (handle ? process_.send(message, handle) : process_.send(message)),
    onMessage: (listener) => process_.on('message', listener),
    end: () => process_.disconnect(),
  };
}

function forked() {
  const cp = require(subject === 'builtin' ? 'node:child_process' : subject);
  return endOf(cp.fork(__filename, [...process.argv.slice(2, 6), 'child'], { execArgv: [] }));
}

function sendAll(peer) {
  for (let n = 0; n < count; n++) peer.send(make(n));
}

function child(peer) {
  let got = 0;
  peer.onMessage((message, socket) => {
    if (message === 'go') return sendAll(peer);
    if (socket) socket.end('x');
    if (++got === count) peer.send('done');
    return undefined;
  });
  peer.send('ready');
}

/** Sockets that live their whole life: connected, sent, answered by the child, closed. */
function sendSockets(peer, done) {
  let closed = 0;
  const server = net
    .createServer((socket) => peer.send('socket', socket))
    .listen({ port: 0, host: '127.0.0.1', backlog: count }, () => {
      for (let n = 0; n < count; n++) {
        net
          .connect(server.address().port, '127.0.0.1')
          .resume()
          .on('close', () => {
            if (++closed === count) {
              server.close();
              done();
            }
          });
      }
    });
}

function parent(peer) {
  let begun;
  let got = 0;
  const finish = () => {
    console.log((performance.now() - begun).toFixed(3));
    peer.end();
  };
  const begin = () => {
    begun = performance.now();
    if (kind === 'sockets') sendSockets(peer, finish);
    else if (direction === 'up') peer.send('go');
    else sendAll(peer);
  };
  peer.onMessage((message) => {
    if (message === 'ready') begin();
    else if (kind !== 'sockets' && (message === 'done' || ++got === count)) finish();
  });
}

function worker() {
  const { Worker, isMainThread, parentPort } = require('node:worker_threads');
  const thread = isMainThread && new Worker(__filename, { argv: process.argv.slice(2, 6) });
  const port = thread || parentPort;
  const peer = {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => port.on('message', listener),
    end: () => thread.terminate(),
  };
  if (isMainThread) parent(peer);
  else child(peer);
}

if (subject === 'worker') worker();
else if (role === 'child') child(endOf(process));
else parent(forked());
