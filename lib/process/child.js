'use strict';

// What creating, starting and killing a ChildProcess do, and its events and streams.

const { includes, map } = require('../common/arrays');
const { attachment } = require('../common/attachment');
const { nextTick } = require('../common/clock');
const { errnoError, programError } = require('../common/errors');
const { host } = require('./hooks');
const { isRestricted, mayLaunch, throwDenied } = require('./permission');
const { Process, isSpawnHeard } = require('./process');
const { native, numbers } = require('../addon/runtime');
const { NO_PIPES, pipesOf, statusOf } = require('./started');
const { describeStdio } = require('./stdio');
const { Streams, borrow } = require('./streams');
const { created, launched } = require('./watchers');

const resolved = Promise.resolve();

const { EACCES, EAGAIN, EINVAL, EMFILE, ENFILE, ENOENT, ENOSYS, ESRCH } = numbers;
// What becomes an 'error' event; any other failure of the launch is thrown.
const REPORTED = [EACCES, EAGAIN, EMFILE, ENFILE, ENOENT];
// Out of descriptors: no streams can be created.
const WITHOUT_STREAMS = [EMFILE, ENFILE];

// Not properties of the children, because a ChildProcess must have the same properties as the builtin's.
const streamsOf = attachment();
// The child itself, attached to its array `spawnargs` once it has ended.
const endedOf = attachment();

const listener = { onExit, makeLink };

/** Gives a new `child` the process behind it, which has not been launched yet. */
function attachProcess(child) {
  child._handle = new Process(child, listener);
  if (created.hasSubscribers) created.publish({ process: child });
}

/** Launches the process of `child` with normalised options. Returns 0 or a negative errno. */
function launchWith(child, options) {
  // Called between the checks and the launch.
  const isAwaited = launched.hasSubscribers || isRestricted;
  const onChecked = isAwaited ? () => aboutToLaunch(child, options) : undefined;
  return begin(child, native.launch(options, child._handle, onChecked));
}

/**
 * Called when `file` has been launched with `args`: completes the child. `started` is the number that the native
 * function has returned (started.js). Returns 0 or a negative errno.
 * @returns {number}
 */
function begin(child, started, file, args) {
  const handle = child._handle;
  const { link, borrowed } = handle;
  const status = statusOf(started);
  const errno = Math.min(status, 0);
  handle.launched(status > 0 ? status : undefined);
  describe(child, handle.spawnfile ?? file, handle.spawnargs ?? argv(file, args));

  if (errno === 0) {
    if (launched.hasSubscribers) launched.end.publish({ process: child });
    // A microtask is cheaper than process.nextTick(), and in most cases nobody listens for 'spawn'.
    resolved.then(() => announceSpawn(child));
  } else {
    if (launched.hasSubscribers) launched.error.publish({ process: child, error: errnoError(errno, 'spawn') });
    if (!includes(REPORTED, -errno)) {
      handle.abandon();
      child._handle = null;
      throw errnoError(errno, 'spawn');
    }
    nextTick(reportFailure, child, errno);
    if (includes(WITHOUT_STREAMS, -errno)) {
      handle.closePipes();
      return errno;
    }
  }

  child.pid = handle.pid;
  attachStreams(child, handle, handle.pipes ?? pipesOf(started));
  // A program may call child.spawn() once more.
  handle.pipes = undefined;
  if (link) attachChannel(child, link);
  if (borrowed) for (let i = 0; i < borrowed.length; i++) borrow(borrowed[i]);
  return errno;
}

/** The channel of a child that is about to be launched. */
function makeLink(child, handle) {
  // Loaded now, because it could fail once there is a child: no descriptors may be left, or the files may be deleted.
  const { Link } = require('../channel/channel');
  return new Link(child, {
    onClose: () => closeOne(child),
    peerProcess: handle,
  });
}

function attachChannel(child, link) {
  child._closesNeeded++;
  require('../channel/channel').setUpChannel(child, link, 1);
}

function describe(child, file, args) {
  child.spawnfile = file;
  child.spawnargs = args === undefined ? [] : args;
}

/** The arguments of a process, the zeroth included. */
function argv(file, args) {
  const words = [file];
  if (Array.isArray(args)) for (let i = 0; i < args.length; i++) words[i + 1] = args[i];
  return words;
}

function aboutToLaunch(child, options) {
  describe(child, options.file, options.args);
  if (launched.hasSubscribers) {
    options.stdio = describeStdio(options.stdio);
    launched.start.publish({ process: child, options });
  }
  if (!mayLaunch()) throwDenied(options.file);
}

/** Defines accessors that become plain properties when first read or written, so that they look like the builtin's. */
function attachStreams(child, handle, pipes) {
  if (pipes === NO_PIPES || !includes(pipes, 'p')) {
    child.stdin = null;
    child.stdout = null;
    child.stderr = null;
    child.stdio = pipes === NO_PIPES ? [null, null, null] : map(pipes, () => null);
    return;
  }
  streamsOf.set(child, new Streams(handle, pipes, (stream) => awaitClose(child, stream)));
  // Takes less time than Object.defineProperties().
  Object.defineProperty(child, 'stdin', stdin);
  Object.defineProperty(child, 'stdout', stdout);
  Object.defineProperty(child, 'stderr', stderr);
  Object.defineProperty(child, 'stdio', stdio);
}

/**
 * The child behind `object`, the receiver of an accessor: it is a child, inherits from one, or is a proxy of one. What
 * a property of a proxy gives may be a proxy, too (as in Vue), but the property's descriptor has the true value.
 */
function ownerOf(object) {
  for (let each = object; each !== null && each !== undefined; each = Object.getPrototypeOf(each)) {
    if (streamsOf.get(each)) return each;
    const valueOf = (name) => Object.getOwnPropertyDescriptor(each, name)?.value;
    const child = Process.childOf(valueOf('_handle')) ?? endedOf.get(valueOf('spawnargs'));
    if (child) return child;
  }
  return undefined;
}

/** The same functions for all children, so that V8 gives them one hidden class. */
function accessor(name, read) {
  const settle = (child, value) => {
    Object.defineProperty(child, name, { value, writable: true, enumerable: true, configurable: true });
    return value;
  };
  return {
    get() {
      const child = ownerOf(this);
      return child && settle(child, read(streamsOf.get(child)));
    },
    set(value) {
      const child = ownerOf(this);
      if (child) settle(child, value);
    },
    enumerable: true,
    configurable: true,
  };
}

const stdin = accessor('stdin', (streams) => streams.get(0));
const stdout = accessor('stdout', (streams) => streams.get(1));
const stderr = accessor('stderr', (streams) => streams.get(2));
const stdio = accessor('stdio', (streams) => streams.all());

function awaitClose(child, stream) {
  child._closesNeeded++;
  stream.on('close', () => closeOne(child));
}

function closeOne(child) {
  child._closesGot++;
  if (child._closesGot === child._closesNeeded) child.emit('close', child.exitCode, child.signalCode);
}

/** Emits 'spawn' once the exec is confirmed, or at once if there is no listener. */
function announceSpawn(child) {
  const handle = child._handle;
  if (!handle) return;
  if (!isSpawnHeard(child)) handle.spawned();
  else if (handle.awaitExec()) nextTick(() => handle.spawned());
  else streamsOf.get(child)?.confirmFirst();
}

function reportFailure(child, errno) {
  const handle = child._handle;
  try {
    handle.exited(errno, null, 'spawn');
  } finally {
    // In a tick after settle(), as for a process that has ended.
    nextTick(() => handle.closePipes());
  }
}

/** A child has ended. A negative `code` is an errno: the exec has failed (`spawn`), or the exit is unknown (`wait`). */
function onExit(child, handle, code, signal, syscall) {
  const streams = streamsOf.get(child);
  if (signal) child.signalCode = signal;
  else child.exitCode = code;
  streams?.endInput();
  // The program may have replaced it.
  if (streams && Array.isArray(child.spawnargs)) endedOf.set(child.spawnargs, child);
  child._handle = null;

  try {
    if (code < 0) {
      if (syscall === 'spawn') child.pid = undefined;
      child.emit('error', programError(code, syscall, child.spawnfile, child.spawnargs));
    } else {
      child.emit('exit', child.exitCode, child.signalCode);
    }
  } finally {
    if (streams?.hasUntouched) child._closesNeeded++;
    // One tick later, so that a listener of 'exit' still can start to read.
    nextTick(settle, child, streams, streams?.hasUntouched);
  }
  closeOne(child);
}

/** Ends the streams that the program does not read. */
function settle(child, streams, hadUntouched) {
  streams?.settle();
  if (hadUntouched) closeOne(child);
}

/** Sends a signal; true if it was sent. */
function kill(child, signal) {
  const number = signal === 0 ? 0 : native.signalNumber(signal === undefined ? 'SIGTERM' : signal, host);
  if (!child._handle) return false;
  const errno = -child._handle.kill(number);
  if (errno === 0) {
    child.killed = true;
    return true;
  }
  if (errno === EINVAL || errno === ENOSYS) throw errnoError(-errno, 'kill');
  // ESRCH: it has ended already.
  if (errno !== ESRCH) child.emit('error', errnoError(-errno, 'kill'));
  return false;
}

module.exports = { attachProcess, begin, closeOne, kill, launchWith, streamsOf };
