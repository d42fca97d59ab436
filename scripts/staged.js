'use strict';

// The package as its users have it, with the binary of this checkout: for the benchmarks, and for tests of what is
// published.

const fs = require('node:fs');
const path = require('node:path');
const { name } = require('../package.json');
const { root, localBinary, packageName } = require('../lib/addon/locate');
const { triple } = require('../lib/addon/triple');
const { bundle } = require('./bundle');

/** Lays it out under `folder`, as in a `node_modules`. Returns its own folder. */
function stage(folder) {
  const main = path.join(folder, name);
  bundle(main);
  fs.copyFileSync(path.join(root, 'package.json'), path.join(main, 'package.json'));
  const platform = path.join(folder, packageName(triple()));
  const binary = localBinary(triple());
  fs.mkdirSync(platform);
  fs.copyFileSync(binary, path.join(platform, path.basename(binary)));
  return main;
}

module.exports = { stage };

if (require.main === module) console.log(stage(process.argv[2]));
