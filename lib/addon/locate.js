'use strict';

// Where the addon's binary is: in this package, or in the optional package for the platform.

const fs = require('node:fs');
const path = require('node:path');
const { version } = require('../../package.json');

const root = path.join(__dirname, '../..');

/** The file that scripts/build.js writes. */
function localBinary(triple) {
  return path.join(root, `child-process-rs.${triple}.node`);
}

/** The optional package with the prebuilt binary for a platform. */
function packageName(triple) {
  return `child-process-rs-${triple}`;
}

/** The binary in the optional package, or null if there is none of the same version. */
function packagedBinary(triple) {
  const name = packageName(triple);
  try {
    if (require(`${name}/package.json`).version !== version) return null;
    return require.resolve(name);
  } catch {
    return null;
  }
}

/** Whether this is the source tree and not the published package, which contains no tests. */
function isCheckout() {
  return fs.existsSync(path.join(root, '__test__'));
}

module.exports = { root, version, localBinary, packageName, packagedBinary, isCheckout };
