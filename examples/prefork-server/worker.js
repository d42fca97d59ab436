'use strict';

// A worker of server.js: answers with its process id. GET /crash kills it.

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
  // Said before anything is read from it: from here on it is this worker's.
  process.send('took');
  serve(handle);
});

process.on('disconnect', () => shared?.close());
