'use strict';

// What this kernel has. `npm run test:platforms -- kernels` names in IMITATED_KERNEL the one that it imitates.

const os = require('node:os');

const [major, minor] = (process.env.IMITATED_KERNEL ?? os.release()).split('.').map(Number);

const isAtLeast = (wantedMajor, wantedMinor) => major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);

module.exports = {
  /** clone(2) with CLONE_PIDFD. Without it a thread waits for each child. */
  hasProcessFds: isAtLeast(5, 2),
  /** F_SEAL_FUTURE_WRITE of fcntl(2). Without it nothing is shared. */
  hasSealedMemory: isAtLeast(5, 1),
};
