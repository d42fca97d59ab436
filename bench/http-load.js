'use strict';

// The load for the http metric: node bench/http-load.js <port> <connections> <warm-up s> <seconds>
// Raw sockets and the least parsing that still proves each answer whole: the load shares the machine with the
// server, so what it spends is taken from every contestant alike and must be little.

const fs = require('node:fs');
const net = require('node:net');
const { MARK } = require('./report-line');
const { quantile } = require('./stats');

const [port, connections, warmUp, seconds] = process.argv.slice(2).map(Number);
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n';
const BODY = 'hi\n';

/** True when `text` is one whole response; throws if it is one that we did not ask for. */
function isWhole(text) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const head = text.slice(0, headEnd).toLowerCase();
  const body = text.slice(headEnd + 4);
  if (!head.startsWith('http/1.1 200')) throw new Error(`not a 200: ${head}`);
  if (head.includes('transfer-encoding: chunked')) {
    if (!body.endsWith('0\r\n\r\n')) return false;
    if (!body.startsWith(`3\r\n${BODY}\r\n`)) throw new Error(`unexpected body: ${JSON.stringify(body)}`);
    return true;
  }
  const length = /content-length: (\d+)/.exec(head);
  if (!length) throw new Error(`a response without a length: ${head}`);
  if (body.length < Number(length[1])) return false;
  if (body !== BODY) throw new Error(`unexpected body: ${JSON.stringify(body)}`);
  return true;
}

let counting = false;
let served = 0;
const latencies = [];

function connect() {
  const socket = net.connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  let text = '';
  let sent;
  const ask = () => {
    text = '';
    sent = performance.now();
    socket.write(REQUEST);
  };
  socket.on('connect', ask);
  socket.on('data', (data) => {
    text += data;
    if (!isWhole(text)) return;
    if (counting) {
      served += 1;
      latencies.push(performance.now() - sent);
    }
    ask();
  });
  // A server that hangs up or fails has no rate worth comparing: the whole trial fails.
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('close', () => {
    throw new Error('the server closed a keep-alive connection');
  });
}

for (let i = 0; i < connections; i += 1) connect();

setTimeout(() => {
  counting = true;
  const from = performance.now();
  setTimeout(() => {
    const rate = served / ((performance.now() - from) / 1000);
    fs.writeSync(1, `${MARK}${JSON.stringify({ rate, p99: quantile(latencies, 0.99) })}\n`);
    process.exit(0);
  }, seconds * 1000);
}, warmUp * 1000);
