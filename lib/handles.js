'use strict';

// Sockets and servers over a channel: what is taken out of an object to be sent, what becomes of the sender's copy, and what
// is made of a descriptor that has come (Node.js documentation, «subprocess.send», «Example: sending a server object»).

const dgram = require('node:dgram');
const EventEmitter = require('node:events');
const net = require('node:net');
const { invalidHandle } = require('./errors');

/** The handle under a dgram.Socket. */
function handleOf(socket) {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return socket[symbol].handle;
}

/** A libuv handle over `fd`, made by a socket that is not needed any more. */
function nativeStream(fd) {
  const socket = new net.Socket({ fd, manualStart: true });
  const { _handle } = socket;
  socket._handle = null;
  return _handle;
}

function nativeDatagram(fd) {
  const socket = dgram.createSocket('udp4');
  const { constructor: UDP } = handleOf(socket);
  socket.close();
  const handle = new UDP();
  handle.open(fd);
  return handle;
}

/** How many of the sockets of a server live in one child, asked by the parent. */
class SentSockets extends EventEmitter {
  #target;
  #key;

  constructor(target, key) {
    super();
    this.#target = target;
    this.#key = key;
    target.once('exit', () => this.emit('exit', this));
  }

  #ask(cmd, answer, callback) {
    const target = this.#target;
    if (!target.connected) {
      callback(null, undefined);
      return;
    }
    const stop = (message) => {
      target.off('internalMessage', hear);
      target.off('disconnect', stop);
      callback(null, message);
    };
    const hear = (message) => {
      if (message.cmd === answer && message.key === this.#key) stop(message);
    };
    target.on('internalMessage', hear);
    target.on('disconnect', stop);
    target._send({ cmd, key: this.#key }, undefined, true);
  }

  close(callback) {
    this.#ask('NODE_SOCKET_NOTIFY_CLOSE', 'NODE_SOCKET_ALL_CLOSED', callback);
  }

  getConnections(callback) {
    this.#ask('NODE_SOCKET_GET_COUNT', 'NODE_SOCKET_COUNT', (error, message) => callback(error, message?.count ?? 0));
  }
}

/** The sockets of a server of the parent's that live here. */
class ReceivedSockets {
  #count = 0;
  #whenEmpty;

  constructor(target, key) {
    const answer = (message) => {
      if (target.connected) target._send({ ...message, key }, undefined, true);
    };
    target.on('internalMessage', ({ cmd, key: asked }) => {
      if (asked !== key) return;
      if (cmd === 'NODE_SOCKET_GET_COUNT') answer({ cmd: 'NODE_SOCKET_COUNT', count: this.#count });
      if (cmd !== 'NODE_SOCKET_NOTIFY_CLOSE') return;
      this.#whenEmpty = () => answer({ cmd: 'NODE_SOCKET_ALL_CLOSED' });
      if (this.#count === 0) this.#whenEmpty();
    });
  }

  add(socket) {
    this.#count++;
    socket.once('close', () => {
      if (--this.#count === 0) this.#whenEmpty?.();
    });
  }
}

/** Of a connection that was HTTP until now: its parser and response are let go, as Node itself does it. */
function releaseParser(socket) {
  // Loaded now: newer Nodes warn of it, and hardly anybody sends such a socket.
  const { freeParser, HTTPParser } = require('_http_common');
  if (!(socket.parser instanceof HTTPParser)) return;
  freeParser(socket.parser, null, socket);
  socket._httpMessage?.detachSocket(socket);
}

/** Takes a socket away from the program; its handle is closed when it has arrived. */
function detach(socket) {
  const { _handle } = socket;
  _handle.onread = () => {};
  socket._handle = null;
  socket.setTimeout(0);
  if (socket.parser) releaseParser(socket);
  return _handle;
}

const conversions = {
  'net.Native': { send: (_, handle) => ({ handle }), got: (_, fd, done) => done(nativeStream(fd)) },
  'net.Server': {
    send: (_, server) => ({ handle: server._handle }),
    got(_, fd, done) {
      const server = new net.Server();
      server.listen({ fd, exclusive: true }, () => done(server));
    },
  },
  'net.Socket': {
    send(message, socket, { keepOpen }, lists) {
      if (!socket._handle) return {};
      const { server } = socket;
      if (server) {
        message.key = server._connectionKey;
        if (!lists.sent.has(message.key)) {
          const sockets = new SentSockets(lists.target, message.key);
          lists.sent.set(message.key, sockets);
          server._setupWorker(sockets);
        }
        if (!keepOpen) server._connections--;
      }
      return keepOpen ? { handle: socket._handle } : { handle: detach(socket), isGivenAway: true };
    },
    got({ key }, fd, done, lists) {
      const socket = new net.Socket({ fd, readable: true, writable: true });
      if (key) {
        if (!lists.received.has(key)) lists.received.set(key, new ReceivedSockets(lists.target, key));
        lists.received.get(key).add(socket);
      }
      done(socket);
    },
  },
  'dgram.Native': { send: (_, handle) => ({ handle }), got: (_, fd, done) => done(nativeDatagram(fd)) },
  'dgram.Socket': {
    send(message, socket) {
      message.dgramType = socket.type;
      return { handle: handleOf(socket) };
    },
    got({ dgramType }, fd, done) {
      const socket = dgram.createSocket(dgramType);
      socket.bind({ fd, exclusive: true }, () => done(socket));
    },
  },
};

function typeOf(handle) {
  if (handle instanceof net.Socket) return 'net.Socket';
  if (handle instanceof net.Server) return 'net.Server';
  if (handle instanceof dgram.Socket) return 'dgram.Socket';
  if (typeof handle === 'object' && typeof handle.getAsyncId === 'function') {
    const { name } = handle.constructor;
    if (name === 'TCP' || name === 'Pipe') return 'net.Native';
    if (name === 'UDP') return 'dgram.Native';
  }
  throw invalidHandle();
}

module.exports = { conversions, typeOf };
