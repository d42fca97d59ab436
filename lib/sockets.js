'use strict';

// Sockets over descriptors.

const { builtin } = require('./builtin');
const { errnoError } = require('./errors');
const { native } = require('./native');

const NOWHERE = '/nonexistent/child-process-rs';

/** Whether Node opens a descriptor; from 26 on that takes the permission to use the network, and earlier Nodes know of none. */
function mayOpen() {
  const { permission } = process;
  return permission === undefined || permission.has('net') || !process.allowedNodeEnvironmentFlags.has('--allow-net');
}

/** A socket over `fd`, which it takes over; `options` of net.Socket. */
function socketOver(fd, options) {
  const { Socket } = require('node:net');
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
 * Node's handle of an open pipe. Node opens the pipes of its own children without any permission to use the network, and also
 * those of a child whose program it does not find.
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

module.exports = { socketOver };
