'use strict';

const CHUNK = Buffer.alloc(64 * 1024, 'x');

/** The parent writes with backpressure into a child that reads and drops it: bytes through `child.stdin`. */
module.exports = {
  name: 'stdin',
  cases: [{ id: 'cat', options: {}, rows: [{ id: 'rate', unit: 'MB/s', better: 'more', goals: { builtin: 1 } }] }],
  async measure({ cp, quick }) {
    const chunks = (quick ? 128 : 1024) * 16;
    const from = performance.now();
    const child = cp.spawn('sh', ['-c', 'exec cat > /dev/null'], { stdio: ['pipe', 'inherit', 'inherit'] });
    let left = chunks;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!child.stdin.write(CHUNK)) return;
      }
      child.stdin.end();
    };
    child.stdin.on('drain', write);
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
      write();
    });
    if (code !== 0) throw new Error(`cat ended with ${code}`);
    return { rate: (chunks * CHUNK.length) / 1e6 / ((performance.now() - from) / 1000) };
  },
};
