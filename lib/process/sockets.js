'use strict';

// Creates sockets for the parent's ends of a child's pipes.

const { builtin } = require('../builtin/originals');
const { errnoError } = require('../common/errors');
const { native } = require('../addon/native');

let net;
/** Node's `net`, which is loaded with the first socket. A call of require() for each would take longer. */
const loadNet = () => (net ??= require('node:net'));

const NOWHERE = '/nonexistent/child-process-rs';

/**
 * Whether Node lets this process create a socket for a descriptor. Under the permission model of Node 26 and later that
 * needs --allow-net. Earlier Nodes have no such permission, and so no such restriction.
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
  // Node's pipe keeps its descriptor's number, which from here on means ours (dup3(2)).
  native.replaceFd(handle.fd, fd);
  return new Socket({ ...options, handle });
}

/**
 * Creates an open libuv pipe without --allow-net. Node needs no permission for the pipes of its own children, and opens
 * them even if the child's program does not exist: so such a child is started, and its pipe taken.
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
