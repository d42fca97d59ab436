'use strict';

const { parseArgs } = require('node:util');

const usage = ({ entry, contestants, guests, example }) => `node ${entry} [options]
  --rounds N        rounds; the table shows the median over them (default 5)
  --only a,b        only these metrics (named in bench/README.md), or one case: ${example}
  --contestants a,b only these: ${contestants.join(', ')}; by name also ${guests.join(', ')}
  --node PATH       the Node to bench on (default: the Node 24 that bench/peers.js fetches, else this one)
  --json FILE       also write every sample and the medians there ("-": standard output, instead of the table)
  --quick           one round of short trials: shows that everything runs, not how fast`;

const list = (text) => text?.split(',').filter(Boolean);

/** The command line as plain data; prints the usage and ends the process on --help or a mistake. */
function readArgs(argv, suite) {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        rounds: { type: 'string' },
        only: { type: 'string' },
        contestants: { type: 'string' },
        node: { type: 'string' },
        json: { type: 'string' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    console.error(`${error.message}\n\n${usage(suite)}`);
    process.exit(2);
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    console.error(usage(suite));
    process.exit(values.help ? 0 : 2);
  }
  return { ...values, rounds, only: list(values.only), contestants: list(values.contestants) };
}

module.exports = { readArgs };
