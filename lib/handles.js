'use strict';

// Sockets and servers over a channel: what has to be done to an object that is sent, and what is made of a descriptor that has
// come (Node.js documentation, «subprocess.send», «Example: sending a server object»). What an object is, its descriptor, and
// what is under way, is known natively.

const EventEmitter = require('node:events');
const dgram = require('node:dgram');
const net = require('node:net');
const { errnoError } = require('./errors');
const { native } = require('./runtime');

// By the numbers of `handleKind`.
const TYPES = ['net.Native', 'net.Server', 'net.Socket', 'dgram.Native', 'dgram.Socket'];

// What a descriptor is, as `onHandle` is told.
const UDP = 2;

/** The handle under a dgram.Socket. */
function handleOf(socket) {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return socket[symbol].handle;
}

// Node's classes of handles, by what a descriptor is: TCP, Pipe and UDP.
const classes = [];

/** A handle over `fd`, made by a socket that is not needed any more. */
function firstOver(fd) {
  const socket = new net.Socket({ fd, manualStart: true });
  const { _handle } = socket;
  socket._handle = null;
  return _handle;
}

function datagramClass() {
  const socket = dgram.createSocket('udp4');
  const { constructor } = handleOf(socket);
  socket.close();
  return constructor;
}

/** A handle of libuv's over `fd`, which it takes over. */
function handleOver(made, fd) {
  try {
    if (made === UDP) classes[made] ??= datagramClass();
    if (!classes[made]) {
      const handle = firstOver(fd);
      classes[made] = handle.constructor;
      return handle;
    }
    // 0: of a connection; for a server it is the same.
    const handle = new classes[made](0);
    const errno = handle.open(fd);
    if (errno) throw errnoError(errno, 'open');
    return handle;
  } catch (error) {
    native.closeFd(fd);
    throw error;
  }
}

/** How many of the sockets of a server live in one child, asked by the parent. */
class SentSockets extends EventEmitter {
  #target;
  #key;
  // What is asked, and has not been answered: the `cmd` of the answer, and who is to get it.
  #asked = [];

  constructor(target, key) {
    super();
    this.#target = target;
    this.#key = key;
    target.once('exit', () => this.emit('exit', this));
    target.on('disconnect', () => this.#answer());
  }

  /** Gives a message to those who asked for it; without one nobody will answer any more. */
  #answer(message) {
    const asked = this.#asked;
    this.#asked = asked.filter(({ cmd }) => message !== undefined && cmd !== message.cmd);
    for (let i = 0; i < asked.length; i++) {
      if (message === undefined || asked[i].cmd === message.cmd) asked[i].callback(null, message);
    }
  }

  hear(message) {
    if (message.key === this.#key) this.#answer(message);
  }

  #ask(cmd, answer, callback) {
    const target = this.#target;
    if (!target.connected) {
      callback(null, undefined);
      return;
    }
    this.#asked.push({ cmd: answer, callback });
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
  #target;
  #key;
  #count = 0;
  #isAwaited = false;

  constructor(target, key) {
    this.#target = target;
    this.#key = key;
  }

  #say(message) {
    if (this.#target.connected) this.#target._send({ ...message, key: this.#key }, undefined, true);
  }

  hear({ cmd }) {
    if (cmd === 'NODE_SOCKET_GET_COUNT') this.#say({ cmd: 'NODE_SOCKET_COUNT', count: this.#count });
    if (cmd !== 'NODE_SOCKET_NOTIFY_CLOSE') return;
    this.#isAwaited = true;
    if (this.#count === 0) this.#say({ cmd: 'NODE_SOCKET_ALL_CLOSED' });
  }

  add(socket) {
    this.#count++;
    socket.once('close', () => {
      if (--this.#count === 0 && this.#isAwaited) this.#say({ cmd: 'NODE_SOCKET_ALL_CLOSED' });
    });
  }
}

/** The sockets of servers that one end has sent and received. */
class Lists {
  #target;
  #sent = new Map();
  #received = new Map();

  constructor(target) {
    this.#target = target;
  }

  hear(message) {
    this.#sent.get(message.key)?.hear(message);
    this.#received.get(message.key)?.hear(message);
  }

  noteSent(server) {
    const { _connectionKey: key } = server;
    if (this.#sent.has(key)) return;
    const sockets = new SentSockets(this.#target, key);
    this.#sent.set(key, sockets);
    server._setupWorker(sockets);
  }

  noteReceived(key, socket) {
    if (!this.#received.has(key)) this.#received.set(key, new ReceivedSockets(this.#target, key));
    this.#received.get(key).add(socket);
  }
}

/** Closes what has been made of a descriptor and nobody wants. */
function close(object) {
  if (typeof object.destroy === 'function') object.destroy();
  else object.close();
}

/** Of a connection that was HTTP until now: its parser and response are let go, as Node itself does it. */
function releaseParser(socket) {
  // Loaded now: newer Nodes warn of it, and hardly anybody sends such a socket.
  const { freeParser, HTTPParser } = require('_http_common');
  if (!(socket.parser instanceof HTTPParser)) return;
  freeParser(socket.parser, null, socket);
  socket._httpMessage?.detachSocket(socket);
}

/** Takes a socket away from the program; returns its handle. */
function detach(socket) {
  const { _handle } = socket;
  _handle.onread = () => {};
  socket._handle = null;
  socket.setTimeout(0);
  if (socket.parser) releaseParser(socket);
  return _handle;
}

/**
 * What is sent of each type. `inner`: its handle of libuv's. `describe` adds to the message what the other end must know.
 * `given`: it has been sent; returns a handle that is to be closed.
 */
const outward = {
  'net.Native': { inner: (handle) => handle },
  'net.Server': { inner: (server) => server._handle },
  'net.Socket': {
    inner: (socket) => socket._handle,
    describe(message, { server }) {
      if (server) message.key = server._connectionKey;
    },
    given(socket, lists, keepOpen) {
      const { server } = socket;
      if (server) {
        lists.noteSent(server);
        if (!keepOpen) server._connections--;
      }
      return keepOpen ? undefined : detach(socket);
    },
  },
  'dgram.Native': { inner: (handle) => handle },
  'dgram.Socket': {
    inner: handleOf,
    describe(message, socket) {
      message.dgramType = socket.type;
    },
  },
};

/** What is made of each type: called with the message, a handle, a function that takes the object, and one that takes an error. */
const inward = {
  'net.Native': (_, handle, done) => done(handle),
  'net.Server'(_, handle, done, failed) {
    const server = new net.Server();
    server.once('error', failed);
    server.listen(handle, () => {
      server.off('error', failed);
      done(server);
    });
  },
  'net.Socket'({ key }, handle, done, _, lists) {
    const socket = new net.Socket({ handle, readable: true, writable: true });
    if (key) lists.noteReceived(key, socket);
    done(socket);
  },
  'dgram.Native': (_, handle, done) => done(handle),
  'dgram.Socket'({ dgramType }, handle, done, failed) {
    const socket = dgram.createSocket(dgramType);
    socket.once('error', failed);
    socket.bind(handle, () => {
      socket.off('error', failed);
      done(socket);
    });
  },
};

module.exports = { Lists, TYPES, close, handleOver, inward, outward };
