'use strict';

module.exports = {
  add: (a, b) => a + b,
  describe: (map) =>
    [map, map.get('a'), [...map.get('a')][0]]
      .map((value) => (value.constructor === BigInt ? 'bigint' : value.constructor.name))
      .join(' '),
  fail(message) {
    throw new RangeError(message);
  },
  pid: () => process.pid,
  die: () => process.exit(7),
};
