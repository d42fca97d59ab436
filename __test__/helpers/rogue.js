'use strict';

// A child that speaks to the channel by hand: the code it runs gets `fd`, the descriptor of the socket, and writes what it likes.

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

/** Starts it; Node itself does not learn of the channel there. */
function spawnRogue(cp, code, options = {}) {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
  return cp.spawn('sh', ['-c', 'unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE; exec "$0" -e "$1"', process.execPath, SCRIPT + code], { stdio, ...options });
}

module.exports = { spawnRogue };
