'use strict';

/** A child writes as fast as it can, the parent takes it and drops it: bytes through `child.stdout`. */
module.exports = {
  name: 'stdout',
  cases: [{ id: 'dd', options: {}, rows: [{ id: 'rate', unit: 'MB/s', better: 'more', goals: { builtin: 1 } }] }],
  async measure({ cp, quick }) {
    const megabytes = quick ? 128 : 1024;
    const args = ['if=/dev/zero', 'bs=1M', `count=${megabytes}`, 'status=none'];
    const from = performance.now();
    const child = cp.spawn('dd', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let bytes = 0;
    child.stdout.on('data', (data) => {
      bytes += data.length;
    });
    await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (bytes !== megabytes * 2 ** 20) throw new Error(`${bytes} bytes arrived of ${megabytes} MB`);
    return { rate: bytes / 1e6 / ((performance.now() - from) / 1000) };
  },
};
