/// <reference types="node" />

// The addon, as lib/ sees it. Made of the Rust by `npm run build`: scripts/types.js.

export interface ChannelSettings {
  /** Whether messages are serialised by V8, rather than as JSON. */
  isAdvanced?: boolean;
  /** For how long to look for a quick answer, microseconds. */
  busyPoll?: number;
  /** The longest message, bytes. */
  maxMessageSize?: number;
  /** The secret that the other end waits for. */
  introduces?: string;
  /** The secret that the other end is to introduce itself with if it is a native one. */
  expects?: string;
}
export interface SendOptions {
  keepOpen?: boolean;
  swallowErrors?: boolean;
}
/** Called when the message is written. */
export type Written = (error: Error | null) => void;
/** Whether there is room for more; undefined: there is, and the message may not be written yet. */
export type Sent = boolean | undefined;

/**
 * What a channel tells. The `key` of something is that of what was missing until now, or is missing. What is not
 * there is not called.
 */
export interface ChannelEvents {
  /** Messages have come. */
  onMessages?(messages: unknown[], key?: number): void;
  /** An internal message has come. */
  onInternal?(message: object, key?: number): void;
  /**
   * A message that announces a handle has come. `arrival` is for `convert`; undefined: the descriptor has not come,
   * and the builtin's end will send it again.
   */
  onHandle?(message: { msg?: unknown }, arrival?: number, key?: number): void;
  /** Something that has been announced has not come, and what comes from now on waits for it. */
  onMissing?(key: number): void;
  /** What is missing will not come any more. */
  onLost?(key: number): void;
  /** The first socket of a server has been sent. Its server learns from `sockets` that the child has exited. */
  onSocketsSent?(sockets: import('node:events').EventEmitter): void;
  /** A handle did not reach the other end. */
  onUndelivered?(): void;
  /** The other end does not keep to the protocol; it is no reason to throw. */
  onError?(error: Error): void;
  /** A message that nobody awaits could not be sent. */
  onUnsent?(error: Error): void;
  /**
   * What came is no message. The error, a sentence that says how the protocol was broken, or undefined for a
   * message that is too long.
   */
  onBroken?(cause: unknown, key?: number): void;
  /** The other end is gone; in the middle of a message? */
  onEnd?(isPartial: boolean): void;
  /** `disconnect()` has waited for handles, and goes on. */
  onHandlesArrived?(): void;
  /** The channel is closed, as `disconnect()` has asked. */
  onDisconnect?(): void;
}

/** A file descriptor. */
export type RawFd = number;

/** What those give it. */
export interface Process {
  /** The process is running, or was. */
  readonly pid?: number;
  /** Nothing was started, for this reason; negative. */
  readonly errno?: number;
  readonly spawnfile: string;
  readonly spawnargs: string[];
  /** Which of the child's descriptors are pipes. */
  readonly pipes: boolean[];
  /** The streams of this process that the child reads or writes. */
  readonly borrowed?: import('node:stream').Stream[];
  /** Our end of its channel. */
  readonly channel?: {
    fd: RawFd;
    secret?: string;
    serialization?: 'json' | 'advanced';
    busyPoll?: number;
    maxMessageSize?: number;
  };
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly killSignal?: number;
  /** What is to become of the outputs of `execFile` and `exec`. */
  readonly execution?: Execution;
}
export interface Execution {
  file: string;
  args: string[];
  callback: ((error: Error | null, stdout: string | Buffer, stderr: string | Buffer) => void) | null | undefined;
  /** Undefined: they are to be bytes. */
  encoding?: BufferEncoding;
  maxBuffer: number;
  timeout: number;
  killSignal?: number;
}

/**
 * One end of an IPC channel.
 */
export class Channel {
  /**
   * Makes the socket `fd` an end of a channel, which takes it over unless this throws. `number` is what `open` gave. The
   * methods of `events` are called for what happens.
   * @throws `EBADF`, `ENOMEM`, `ENOSPC`.
   */
  constructor(number: number, fd: RawFd, options: ChannelSettings, events: ChannelEvents);
  /**
   * `send(message, handle, options, callback)` sends any message, alone or with a socket or server (Node.js documentation,
   * «subprocess.send»). `options`: `keepOpen`, `swallowErrors`; `true` stands for the latter. `callback(error)` is called when it is
   * written. It gives true or false, whether there is room for more; or undefined: there is, and the message may not be written yet.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_MISSING_ARGS`, `ERR_INVALID_HANDLE_TYPE`, and what serialising throws.
   */
  send(message: unknown, handle?: unknown, options?: SendOptions | boolean, callback?: Written): Sent;
  /** Its number, for the three functions below. All channels have the same ones. */
  get number(): number;
  /**
   * `sendValue(number, message, isSilent, callback)`: a message alone, at less cost. It gives undefined where there is room and the
   * message may not be written yet: while messages are delivered, `endTick` is to be called after the one that sent it.
   * @throws An N-API failure.
   */
  get sendValue(): (number: number, message: any, isSilent?: boolean, callback?: Written) => Sent;
  /**
   * The same for what need not be looked at: in json mode the JSON text of an object, in advanced mode an object that is neither a
   * Buffer nor an ArrayBuffer.
   * @throws An N-API failure.
   */
  get sendPrepared(): (number: number, message: string | object, isSilent?: boolean, callback?: Written) => Sent;
  /**
   * `endTick(number)`: writes what has waited for more, where it has waited for long enough.
   * @throws An N-API failure.
   */
  get endTick(): (number: number, leaves?: boolean) => void;
  /**
   * Makes an object of what has come with `message`, an `arrival` of `onHandle`, and calls `take(error, object)`: at once, or when it
   * listens.
   * @throws What `take` throws.
   */
  convert(message: unknown, arrival: number, take: (error: Error | null, object?: unknown) => void): void;
  /**
   * Ends the channel: `onDisconnect()` is called, once the handles that were sent have arrived and what is being delivered is
   * delivered. `isDelivering`: what `onMessages` was told of is still being delivered, and this is called again after it. `true`: no
   * handle is waited for.
   * @throws An N-API failure.
   */
  disconnect(isDelivering?: boolean | undefined | null): boolean;
  /** Has the event loop wait for the channel; it does not from the start. */
  ref(): void;
  /** Has the event loop not wait for it. */
  unref(): void;
  /** Whether the event loop waits for it. */
  hasRef(): boolean;
  /** Its socket; a negative errno where it is closed. */
  get fd(): number;
}

/** Closes a descriptor that this process was given, and only this one, at exec. Throws where it is not open. */
export function closeOnExec(fd: RawFd): void;

/** Hands an error to `uncaughtException`. */
export function throwUncaught(error: unknown): void;

/** Closes a descriptor that nobody takes. */
export function closeFd(fd: RawFd): void;

/** A text that nobody can guess. */
export function secret(): string;

/**
 * Puts `fd`, which it takes over, in the place of `target`, whose owner has it from now on.
 *
 * Throws where it cannot (`dup2(2)`).
 */
export function replaceFd(target: RawFd, fd: RawFd): void;

/**
 * Runs `file` (Node.js documentation, «child_process.execFile»). The process is as with `spawn`, and has what is to become of
 * its outputs in `execution`: `file`, `args`, `callback`, `encoding` where they are to be text, `maxBuffer`, `timeout` and
 * the number of `killSignal`.
 *
 * Throws what Node throws.
 */
export function execFile(file: unknown, args: unknown, options: unknown, callback: unknown, events?: object | undefined | null): Process;

/** Runs a command line in a shell (Node.js documentation, «child_process.exec»); the rest is as with `execFile`. */
export function exec(command: unknown, options: unknown, callback: unknown, events?: object | undefined | null): Process;

/**
 * How children are started: `clone`, in which the child shares the memory of this process until its exec, or `fork`, which
 * copies its page tables.
 */
export function launchMethod(): 'clone' | 'fork';

/**
 * Writes to `target` what `launch` takes, from the arguments of `spawn`, `fork` or `execFile` (`verb`). Returns `killSignal`,
 * the number of that option, `mayBeNative`, whether the child may have the native end of a channel, and for `execFile`
 * `execution`, as the process has it.
 *
 * Throws what that function throws.
 */
export function normalize(verb: string, call: Array<unknown>, host: object | undefined | null, target: object): { killSignal?: number; mayBeNative: boolean; execution?: Execution };

/**
 * A process. `spawn`, `execFile` and their kin make them.
 */
export class Process {
  /** One that has not been started. */
  constructor();
  /** Sends a signal. Returns 0 or a negative errno (`kill(2)`). */
  kill(signal: number): number;
  /** Makes the event loop wait for the process; it does from the start. */
  ref(): void;
  /** Lets the event loop end before the process. */
  unref(): void;
  /** Whether the event loop waits for the process. */
  hasRef(): boolean;
  /**
   * Hands over this process's end of the child's descriptor `index`, to be closed by the caller; -1 where there
   * is none.
   */
  takePipe(index: number): number;
  /** Closes the pipes that nobody has taken. */
  closePipes(): void;
  /** Whether the exec is known to have succeeded. If it isn't known yet, `onspawn` will be called when it is. */
  awaitExec(): boolean;
  /** Calls `onspawn` now if it is due. */
  pollExec(): void;
  /**
   * Gathers an output, at most `limit` bytes, instead of leaving it to a stream.
   *
   * Returns 0, or the negative errno of why it cannot be watched; its pipe is closed then.
   */
  collect(index: number, limit: number): number;
  /** Whether an output that is gathered will bring more. */
  isCollecting(index: number): boolean;
  /** Stops gathering; what came is kept. */
  closeOutputs(): void;
  /** What an output has gathered. Its pipe, if not at its end, can be had with `takePipe` again. */
  takeOutput(index: number): Buffer;
  /** The same as text, from UTF-8. */
  takeText(index: number): string;
  /** How many bytes an output had before its last read. */
  beforeLastRead(index: number): number;
}

/** The number of a signal given by name or number. Throws `ERR_UNKNOWN_SIGNAL`. */
export function signalNumber(signal: unknown, host?: object | undefined | null): number;

/**
 * Runs `file` off the event loop, with the options of `execFile` and `input`. Calls `events.onfinish(error, result)` at its
 * end: the error, or null, is what `execFile` calls back with, and has all of the result, too. The result has `stdout`,
 * `stderr`, `exitCode`, `signal`, `durationMs` and `resourceUsage`: `userCPUTime` and `systemCPUTime` in microseconds,
 * `maxRSS` in kilobytes.
 *
 * Without `input` the child reads the null device. Returns a function that kills the process and ends the run.
 *
 * Throws what Node throws, and an AbortError where `options.signal` has been aborted already.
 */
export function run(file: unknown, args: unknown, options: unknown, events: object): () => void;

/** The same for a command line, in a shell. */
export function runCommand(command: unknown, options: unknown, events: object): () => void;

/**
 * The number of one more copy of `lib/`, for its channels; `hooks` are the functions of `lib/errors.js` and what else channels
 * use of Node.
 */
export function open(hooks: object): number;

/** Hands what a listener has thrown to `uncaughtException`; it is to be thrown on. */
export function tellThrown(error: unknown): void;

/**
 * Starts `file` (Node.js documentation, «child_process.spawn»). What `events` has of these methods is called later:
 * `onspawn()` when the exec is confirmed, if `awaitExec` asked for it; `onexit(code, signal)` when the process has ended,
 * or `onexit(-errno, null, syscall)` where the exec failed (`spawn`) or its end cannot be known (`wait`).
 *
 * The process has `pid`, or `errno`, negative, where nothing was started; `spawnfile` and `spawnargs`; `pipes`, which of the
 * child's descriptors are pipes; `killSignal` as a number, `timeout` and `signal`, where they were given; `borrowed`, the
 * streams of this process that the child reads or writes; and `channel`, where it has one.
 *
 * Throws what Node throws.
 */
export function spawn(file: unknown, args: unknown, options: unknown, events?: object | undefined | null): Process;

/**
 * Starts the Node module `modulePath` with a channel (Node.js documentation, «child_process.fork»); the rest is as with
 * `spawn`.
 */
export function fork(modulePath: unknown, args: unknown, options: unknown, events?: object | undefined | null): Process;

/**
 * Starts the process of normalised options; `events.mayBeNative` says that it may have the native end of a channel.
 * `started()` is called between the checks and the launch. The rest is as with
 * `spawn`; throws what `ChildProcess.prototype.spawn` throws.
 */
export function launch(options: unknown, events?: object | undefined | null, started?: (() => unknown) | undefined | null): Process;

/**
 * Starts `file` and waits for its end (Node.js documentation, «child_process.spawnSync»). `host.hooks` words the errors, as
 * for every function.
 */
export function spawnSync(file: unknown, args: unknown, options: unknown, host?: object | undefined | null): object;

/** Runs `file` and returns its output (Node.js documentation, «child_process.execFileSync»). */
export function execFileSync(file: unknown, args: unknown, options: unknown, host?: object | undefined | null): unknown;

/** Runs a command line in a shell and returns its output (Node.js documentation, «child_process.execSync»). */
export function execSync(command: unknown, options: unknown, host?: object | undefined | null): unknown;
