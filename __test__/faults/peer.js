'use strict';

// The child of the operations that fork: it answers each message, and says by its exit code that it has met an error
// with a code.

const net = require('node:net');
const { isCode } = require('./codes');

const REPORTED = 7;
const UNKNOWN = 1;

function fail(error) {
  if (!isCode(error?.code)) console.error(error);
  process.exit(isCode(error?.code) ? REPORTED : UNKNOWN);
}

const reply = (message, handle) =>
  process.send(message, handle, (error) => {
    if (error) fail(error);
    handle?.close();
  });

const HANDLES = {
  Server: (server) => {
    reply('a server');
    server.close();
  },
  Socket: (socket) => {
    // As a net.Socket is written to, a dgram.Socket is not.
    if (socket instanceof net.Socket) socket.end('hello from the peer');
    else socket.close();
    reply(socket instanceof net.Socket ? 'a connection' : 'a datagram socket');
  },
};

const COMMANDS = {
  bye: () => process.disconnect(),
  give: () => {
    const server = net.createServer().listen(0, '127.0.0.1', () => reply('yours', server));
  },
  flood: () => {
    for (let i = 0; i < 2000; i++) process.send(i);
  },
};

process.on('error', fail);
process.on('uncaughtException', fail);
process.on('message', (message, handle) => {
  if (handle) HANDLES[handle.constructor.name](handle);
  else if (Object.hasOwn(COMMANDS, message)) COMMANDS[message]();
  else reply(message);
});
