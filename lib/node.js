'use strict';

// What the addon uses of Node, and of the realm that this package was loaded in. Modules are loaded when they are asked
// for.

const { nextTick } = require('./clock');

module.exports = {
  JSON,
  nextTick,
  get Buffer() {
    return require('node:buffer').Buffer;
  },
  get dgram() {
    return require('node:dgram');
  },
  get events() {
    return require('node:events');
  },
  // Newer Nodes warn of it, and hardly anybody sends a socket of HTTP's.
  get httpCommon() {
    // @ts-expect-error: it has no types.
    return require('_http_common');
  },
  get net() {
    return require('node:net');
  },
  get serialization() {
    return require('./serialization');
  },
};
