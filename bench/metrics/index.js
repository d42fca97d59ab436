'use strict';

/**
 * In the order of the table. A metric: `name`, `cases` (`id`, `options`, `rows`, and `cpus` where it must stay on
 * some), and either `measure` or `serve` + `load`. A row's `goals`: by rival, how many times better ours must be, or `{
 * over }`, by how much it may exceed theirs. One that `isForReport` runs only where it is named.
 */
const metrics = [
  require('./spawn-ignore'),
  require('./spawn-pipe'),
  require('./close'),
  require('./http'),
  require('./stdout'),
  require('./stdin'),
  require('./live'),
  require('./execfile-serial'),
  require('./execfile-30'),
  require('./promises-30'),
  require('./spawnsync'),
  require('./execfilesync'),
  require('./capture-100mb'),
  require('./spawn-memory'),
];

module.exports = { metrics };
