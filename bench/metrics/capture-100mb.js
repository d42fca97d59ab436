'use strict';

const SIZE = 100_000_000;

/** Each case captures 100 MB once, as its API does by default: execFile a string, execFileSync a Buffer. */
const capture = {
  execFile: (cp, args, options) =>
    new Promise((resolve, reject) => {
      cp.execFile('head', args, options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    }),
  execFileSync: (cp, args, options) => cp.execFileSync('head', args, options),
};

const rows = [{ id: 'rate', unit: 'MB/s', better: 'more', goals: { builtin: 1.5 } }];

module.exports = {
  name: 'capture-100mb',
  cases: [
    { id: 'execfile', options: { call: 'execFile' }, rows },
    { id: 'execfile-buffer', options: { call: 'execFile', encoding: 'buffer' }, rows },
    { id: 'execfilesync', options: { call: 'execFileSync' }, rows },
  ],
  async measure({ cp }, { call, ...options }) {
    const args = (size) => ['-c', String(size), '/dev/zero'];
    const settings = { ...options, maxBuffer: Infinity };
    // A small one first: the code is loaded and warm, the memory is not yet there.
    await capture[call](cp, args(1_000_000), settings);
    const from = performance.now();
    const { length } = await capture[call](cp, args(SIZE), settings);
    if (length !== SIZE) throw new Error(`${length} of ${SIZE} captured`);
    return { rate: SIZE / 1e6 / ((performance.now() - from) / 1000) };
  },
};
