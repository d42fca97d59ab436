'use strict';

// A child that speaks to the channel by hand: the code it runs gets `fd`, the descriptor of the socket, and writes what
// it likes.

const SCRIPT = `
  const fs = require('node:fs')
  const fd = 3
  // The socket does not block, so a write of much must be repeated.
  const write = (bytes) => {
    for (let rest = Buffer.from(bytes); rest.length > 0;) {
      try { rest = rest.subarray(fs.writeSync(fd, rest)) } catch (error) { if (error.code !== 'EAGAIN') throw error }
    }
  }
  const stay = () => setInterval(() => {}, 1000)
`;

// For one that was announced as a native end: `hello()`, and `word()` of the private protocol.
const NATIVE = `
  const { secret, serialization } = JSON.parse(process.env.ANNOUNCED)
  const frame = (bytes) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    write(Buffer.concat([length, bytes]))
  }
  const isAdvanced = serialization === 'advanced'
  const say = (value) => {
    if (isAdvanced) frame(require('node:v8').serialize(value))
    else write(JSON.stringify(value) + '\\n')
  }
  const word = (value) => {
    const text = '\\u0001' + JSON.stringify(value)
    if (isAdvanced) frame(Buffer.from(text))
    else write(text + '\\n')
  }
  const hello = (known = secret) => word({ cmd: 'Hello', secret: known })
`;

/** Starts it; Node itself does not learn of the channel there. */
function spawnRogue(cp, code, options = {}) {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
  return cp.spawn(
    'sh',
    ['-c', 'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE; exec "$0" -e "$1"', process.execPath, SCRIPT + code],
    { stdio, ...options },
  );
}

/** The same for an end that is announced as a native one, as fork() announces it. */
function spawnNativeRogue(ours, code, serialization = 'json') {
  const shell = `
    ANNOUNCED=$CHILD_PROCESS_RS_CHANNEL
    unset CHILD_PROCESS_RS_CHANNEL NODE_OPTIONS
    export ANNOUNCED
    exec "$0" -e "$1"`;
  return announced(ours, '/bin/sh', ['-c', shell, process.execPath, SCRIPT + NATIVE + code], { serialization });
}

/** Any program, announced as a native end: it finds what it is told in CHILD_PROCESS_RS_CHANNEL. */
function announced(ours, file, args, options) {
  const child = new ours.ChildProcess();
  const envPairs = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const stdio = ['ignore', 'pipe', 'inherit', 'ipc'];
  child._handle.mayBeNative = true;
  child.spawn({ file, args: [file, ...args], envPairs, stdio, ...options });
  return child;
}

module.exports = { announced, spawnNativeRogue, spawnRogue };
