'use strict';

// Which errors each call is made to give. They are those that its manual page names, but
//   EFAULT          the addon passes memory of its own
//   EBADF, ENOTSOCK, EINVAL, …  where only another use of the call gives them: a descriptor that is not open, a flag
//                   that is not passed
//   EAGAIN          of reads from a socket: the edge-triggered set never tells again of what is there already
//   EDQUOT, ENOSPC  of close(), which only what is written back late gives, over a network
// and EPERM and ENOSYS, which sandboxes give for any call that is newer than they are.

const os = require('node:os');

const NO_ROOM = ['EMFILE', 'ENFILE', 'ENOMEM'];
const REFUSED = ['EPERM', 'ENOSYS'];
const ON_PATH = ['EACCES', 'ELOOP', 'ENAMETOOLONG', 'ENOENT', 'ENOMEM', 'ENOTDIR'];

/** The calls that the addon makes through the C library. */
const LIBRARY = {
  clone: ['EAGAIN', 'EINVAL', 'EMFILE', 'ENOMEM', 'ENOSPC', 'EPERM', 'ENOSYS'],
  close: ['EINTR', 'EIO'],
  close_range: ['EINVAL', 'EMFILE', 'ENOMEM', ...REFUSED],
  connect: ['EACCES', 'EAGAIN', 'ECONNREFUSED', 'EINTR'],
  epoll_create1: NO_ROOM,
  epoll_ctl: ['EEXIST', 'ENOENT', 'ENOMEM', 'ENOSPC', 'EPERM'],
  epoll_wait: ['EINTR'],
  eventfd: [...NO_ROOM, 'ENODEV'],
  faccessat: [...ON_PATH, 'EIO', 'EROFS', ...REFUSED],
  fallocate: ['EFBIG', 'EINTR', 'EIO', 'ENODEV', 'ENOSPC', 'EOPNOTSUPP', ...REFUSED],
  fcntl: ['EACCES', 'EBADF', 'EBUSY', 'EINVAL', 'EMFILE', 'EPERM'],
  fork: ['EAGAIN', 'ENOMEM', 'ENOSYS'],
  fstat: ['ENOMEM', 'EOVERFLOW'],
  fstatfs: ['EINTR', 'EIO', 'ENOMEM', 'ENOSYS', 'EOVERFLOW'],
  futex: ['EAGAIN', 'EINTR'],
  getcwd: ['EACCES', 'ENOENT', 'ENOMEM'],
  getpeername: ['ENOBUFS', 'ENOTCONN'],
  getrandom: ['EINTR', ...REFUSED],
  getrlimit: ['EPERM', 'ENOSYS'],
  getsockname: ['ENOBUFS', 'ENOTSOCK'],
  getsockopt: ['ENOPROTOOPT', 'ENOTSOCK'],
  ioctl: ['ENOTTY', 'EPERM'],
  kill: ['EPERM', 'ESRCH'],
  lseek: ['ESPIPE'],
  madvise: ['EAGAIN', 'EINVAL', 'ENOMEM', 'EPERM'],
  memfd_create: [...NO_ROOM, ...REFUSED],
  mmap: ['EACCES', 'EAGAIN', 'ENFILE', 'ENODEV', 'ENOMEM', 'EPERM'],
  mprotect: ['EACCES', 'ENOMEM', 'EPERM'],
  munmap: ['ENOMEM'],
  open: [...ON_PATH, 'EINTR', 'EMFILE', 'ENFILE'],
  opendir: ['EACCES', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOMEM'],
  pidfd_open: [...NO_ROOM, 'EINVAL', 'ENODEV', 'ESRCH', ...REFUSED],
  pidfd_send_signal: ['EINVAL', 'ESRCH', ...REFUSED],
  pipe2: ['EMFILE', 'ENFILE'],
  poll: ['EINTR', 'EINVAL', 'ENOMEM'],
  pthread_create: ['EAGAIN', 'EPERM'],
  read: ['EINTR', 'EIO'],
  readlink: ['EACCES', 'EIO', 'ENOENT'],
  realpath: ['EACCES', 'EIO', 'ENOENT'],
  recv: ['ECONNREFUSED', 'ECONNRESET', 'EINTR', 'ENOMEM', 'ENOTCONN'],
  recvmsg: ['ECONNREFUSED', 'ECONNRESET', 'EINTR', 'ENOMEM', 'ENOTCONN'],
  sched_getaffinity: ['EINVAL', 'ESRCH'],
  send: ['EAGAIN', 'ECONNRESET', 'EINTR', 'ENOBUFS', 'ENOMEM', 'EPIPE'],
  sendmsg: ['EAGAIN', 'ECONNRESET', 'EINTR', 'EMSGSIZE', 'ENOBUFS', 'ENOMEM', 'EPIPE', 'ETOOMANYREFS'],
  sigaltstack: ['ENOMEM', 'EPERM'],
  socket: ['EACCES', 'EMFILE', 'ENFILE', 'ENOBUFS'],
  socketpair: ['EAFNOSUPPORT', 'EMFILE', 'ENFILE', 'EOPNOTSUPP', 'EPERM'],
  stat: [...ON_PATH, 'EOVERFLOW'],
  statx: [...ON_PATH, ...REFUSED],
  timerfd_create: [...NO_ROOM, 'ENODEV', ...REFUSED],
  timerfd_settime: ['ECANCELED', 'EINVAL'],
  wait4: ['ECHILD', 'EINTR'],
  waitid: ['ECHILD', 'EINTR', 'EINVAL', ...REFUSED],
  write: ['EAGAIN', 'EINTR', 'EIO', 'ENOSPC', 'EPIPE'],
  write_eventfd: ['EAGAIN'],
  writev: ['EAGAIN', 'EINTR', 'EIO', 'EPIPE'],
};

// Those that Node has no name for.
const UNNAMED = { ELIBBAD: 80, ETOOMANYREFS: 109 };

/** The number of an error. */
function numberOf(error) {
  const number = UNNAMED[error] ?? os.constants.errno[error];
  if (number === undefined) throw new Error(`no number is known for ${error}`);
  return number;
}

const EVERY = ['spawn', 'exec', 'spawnSync', 'promise', 'user', 'options', 'json'];

const FORKS = ['json', 'advanced', 'json-builtin', 'flood', 'handles', 'handles-advanced', 'handles-builtin'];

/** The calls of a child between clone and exec, and in which operations. `call/1=2`: its argument 1 is 2. */
const LAUNCH = [
  { call: 'setsid', errors: ['EPERM', 'ENOSYS'], operations: ['options'] },
  // F_DUPFD_CLOEXEC, F_GETFL and F_SETFL.
  { call: 'fcntl/1=1030', errors: ['EINVAL', 'EMFILE', 'EPERM'], operations: ['options'] },
  { call: 'fcntl/1=3', errors: ['EBADF', 'EPERM'], operations: ['options'] },
  { call: 'fcntl/1=4', errors: ['EPERM'], operations: ['options'] },
  ...[0, 1, 2].map((target) => ({
    call: `dup3/1=${target}`,
    errors: ['EBADF', 'EBUSY', 'EINTR', 'EINVAL', 'EMFILE', 'ENOSYS'],
    operations: EVERY,
  })),
  { call: 'dup3/1=3', errors: ['EBUSY', 'EMFILE'], operations: ['options', 'json'] },
  { call: 'dup3/1=5', errors: ['EBUSY', 'EMFILE'], operations: ['options'] },
  {
    call: 'openat',
    errors: ['EACCES', 'EINTR', 'EMFILE', 'ENFILE', 'ENODEV', 'ENOENT', 'ENOMEM', 'EPERM'],
    operations: ['options', 'kill', 'json'],
  },
  { call: 'close', errors: ['EBADF', 'EINTR', 'EIO'], operations: ['options', 'json'] },
  { call: 'close_range', errors: ['EINVAL', 'EMFILE', 'ENOMEM', ...REFUSED], operations: EVERY },
  { call: 'chdir', errors: [...ON_PATH, 'EIO', 'EPERM'], operations: ['options'] },
  { call: 'setgroups', errors: ['EINVAL', 'ENOMEM', ...REFUSED], operations: ['user'] },
  { call: 'setgid', errors: ['EINVAL', 'EPERM'], operations: ['user'] },
  { call: 'setuid', errors: ['EAGAIN', 'EINVAL', 'EPERM'], operations: ['user'] },
  { call: 'rt_sigaction', errors: ['EINVAL', 'EPERM'], operations: ['spawn', 'spawnSync', 'json'] },
  { call: 'rt_sigprocmask', errors: ['EINVAL', 'EPERM'], operations: ['spawn', 'spawnSync', 'json'] },
  {
    call: 'execve',
    errors: [
      ...ON_PATH,
      'E2BIG',
      'EAGAIN',
      'EINVAL',
      'EIO',
      'EISDIR',
      'ELIBBAD',
      'EMFILE',
      'ENFILE',
      'ENOEXEC',
      'EPERM',
      'ETXTBSY',
    ],
    operations: EVERY,
  },
];

/** The calls that data go through, one after another. */
const REPEATED = [
  'epoll_ctl',
  'epoll_wait',
  'poll',
  'read',
  'recv',
  'recvmsg',
  'send',
  'sendmsg',
  'write',
  'write_eventfd',
  'writev',
];
/** The calls that may fail again and again, as where no thread may be started. */
const LASTING = [
  'clone',
  'epoll_create1',
  'eventfd',
  'memfd_create',
  'pidfd_open',
  'pidfd_send_signal',
  'pthread_create',
  'socketpair',
  'timerfd_create',
];

/** What is not judged, and why. */
const EXCEPTIONS = [
  {
    operations: ['timeout', 'syncTimeout'],
    call: 'pidfd_send_signal',
    error: 'ESRCH',
    why: 'a signal that finds nobody means that the child has ended by itself: then its own end is the right one',
  },
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTCONN'].map((error) => ({
    operations: FORKS,
    call: 'recvmsg',
    error,
    why: "the other end is gone, which 'disconnect' tells, as with the builtin",
  })),
];

/** Whether a combination is not judged. */
const isException = (operation, call, error) =>
  EXCEPTIONS.some((each) => each.operations.includes(operation) && each.call === call && each.error === error);

module.exports = { LASTING, LAUNCH, LIBRARY, REPEATED, isException, numberOf };
