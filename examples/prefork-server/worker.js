'use strict';

// A worker of server.js. It answers each request with its process id. GET /crash kills it.

const http = require('node:http');

const server = http.createServer((request, response) => {
  if (request.url === '/crash') process.kill(process.pid, 'SIGKILL');
  else response.end(`${process.pid}\n`);
});

function serve(socket) {
  server.emit('connection', socket);
  socket.resume();
}

let shared;

process.on('message', (what, handle) => {
  if (what === 'server') {
    shared = handle.on('connection', serve);
    return;
  }
  // Sent before anything is read from the connection: from here on only this worker uses it.
  process.send('took');
  serve(handle);
});

process.on('disconnect', () => shared?.close());
