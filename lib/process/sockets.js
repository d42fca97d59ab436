'use strict';

// Creates sockets for file descriptors.

const { builtin } = require('../builtin/originals');
const { errnoError } = require('../common/errors');
const { native } = require('../addon/native');

let net;
/** Node's `net`, which is loaded with the first socket. A call of require() for each would take longer. */
const loadNet = () => (net ??= require('node:net'));

const NOWHERE = '/nonexistent/child-process-rs';

/**
 * Whether Node lets this process create a socket for a descriptor. Since 26 that needs the permission to use the
 * network; earlier Nodes do not have that permission.
 */
function mayOpen() {
  const { permission } = process;
  return permission === undefined || permission.has('net') || !process.allowedNodeEnvironmentFlags.has('--allow-net');
}

/** Creates a socket for `fd`, of which it becomes the owner. `options` are those of net.Socket. */
function socketOver(fd, options) {
  const { Socket } = loadNet();
  let handle;
  try {
    if (mayOpen()) return new Socket({ ...options, fd });
    handle = openPipe();
  } catch (error) {
    native.closeFd(fd);
    throw error;
  }
  native.replaceFd(handle.fd, fd);
  return new Socket({ ...options, handle });
}

/**
 * Creates an open libuv pipe without the permission to use the network. Node opens the pipes of its own children
 * without that permission, even if the child's program does not exist.
 */
function openPipe() {
  const child = new builtin.ChildProcess();
  child.on('error', () => {});
  const stdio = ['pipe', 'ignore', 'ignore'];
  const errno = child.spawn({ file: NOWHERE, args: [NOWHERE], stdio });
  if (!child.stdin) throw errnoError(errno, 'spawn');
  const { _handle } = child.stdin;
  child.stdin._handle = null;
  return _handle;
}

module.exports = { loadNet, socketOver };
