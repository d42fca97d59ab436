'use strict';

// The parts of Node, and of the realm in which this package was loaded, that the addon uses. Modules are loaded when
// they are first accessed.

const { nextTick } = require('../common/clock');

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
  // Newer Nodes print a warning when this is loaded. It is needed only to send the socket of an HTTP connection.
  get httpCommon() {
    // @ts-expect-error: it has no types.
    return require('_http_common');
  },
  get net() {
    return require('node:net');
  },
  get serialization() {
    return require('../channel/serialization');
  },
};
