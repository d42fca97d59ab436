/// <reference types="node" />

// The exports of the addon. Generated from the Rust code by `npm run build` (scripts/types.js).

/** The options of `fork()` for its channel; the child's end gets those that the parent has passed to it. */
export interface ChannelOptions {
  serialization?: string;
  busyPoll?: number;
  maxMessageSize?: number;
  /** Only for the child's end: the secret that its first word contains (docs/protocol.md). */
  introduces?: string;
  /** Only for the parent's end: the secret that the first word of a native child contains. */
  expects?: string;
}
export interface SendOptions {
  keepOpen?: boolean;
  swallowErrors?: boolean;
}
/** Called when the message has been written, or has failed. */
export type Written = (error: Error | null) => void;
/** Whether the sender should continue to send. Undefined: yes, and the message may not have been written yet. */
export type Sent = boolean | undefined;

/** One end of an IPC channel, opened by `spawn`, `fork` or `openChannel`. Before that its methods do nothing. */
export class Channel {
  /** Whether messages are serialised by V8 instead of as JSON. */
  readonly isAdvanced: boolean;
  /** The channel's number, the first argument of the three functions below, which are the same for all channels. */
  readonly number: number;
  /**
   * Sends a message without a handle, faster than `send`. If it returns undefined while a message is being
   * delivered, `endTick` must be called after that message's delivery.
   */
  readonly sendValue: (number: number, message: any, isSilent?: boolean, callback?: Written) => Sent;
  /**
   * The same for a message that needs no further checks: in json mode the JSON text of an object, in advanced mode
   * an object that is neither a Buffer nor an ArrayBuffer.
   */
  readonly sendPrepared: (number: number, message: string | object, isSilent?: boolean, callback?: Written) => Sent;
  /**
   * Writes messages that wait for the end of the tick or of the delivery, if it is time. With `disconnects`, it
   * performs a requested `disconnect()` instead.
   */
  readonly endTick: (number: number, disconnects?: boolean) => void;
  /**
   * Creates the object for a handle that came with `message`; `arrival` is the argument of `onHandle`. Calls
   * `take(error, object)` immediately, or for a server or datagram socket when it is listening.
   */
  convert(message: unknown, arrival: number, take: (error: Error | null, object?: unknown) => void): void;
  /**
   * Closes the channel and calls `onDisconnect()`, after the handles that were sent have arrived and the current
   * messages have been delivered. `isDelivering`: the caller is still delivering messages, and will call this
   * again afterwards. Returns false if the channel waits for handles to arrive.
   */
  disconnect(isDelivering?: boolean): boolean;
  /** The file descriptor of its socket; a negative errno if it is closed. */
  fd(): number;
  /** Whether the channel keeps the event loop alive. */
  hasRef(): boolean;
  /** Makes the channel keep the event loop alive. */
  ref(): void;
  /**
   * Sends any message, with or without a socket or server (Node.js documentation, «subprocess.send»). `options`:
   * `true` means `swallowErrors`. `callback(error)` is called when the message has been written.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_MISSING_ARGS`, `ERR_INVALID_HANDLE_TYPE`, and what the serialisation throws.
   */
  send(message: unknown, handle?: unknown, options?: SendOptions | boolean, callback?: Written): Sent;
  /** Makes the channel no longer keep the event loop alive. */
  unref(): void;
}

/**
 * The listener of a channel. All methods are optional. A handle or large message that could not be received is
 * missing until the other end sends it again; `key` identifies it. An event with a `key` delivers what was missing
 * under that key.
 */
export interface ChannelEvents {
  /** Messages for the program have arrived. */
  onMessages?(messages: unknown[], key?: number): void;
  /** An internal message has arrived. */
  onInternal?(message: object, key?: number): void;
  /**
   * A message that announces a handle has arrived. `arrival` must be passed to `convert`. If it is undefined, the
   * descriptor has not arrived, and the other end, a builtin one, will send the message again.
   */
  onHandle?(message: { msg?: unknown }, arrival?: number, key?: number): void;
  /** Something is missing. Whatever arrives from now on must be delivered after it. */
  onMissing?(key: number): void;
  /** What is missing will not be sent again. */
  onLost?(key: number): void;
  /** The first socket of a server has been sent. `sockets` must emit 'exit' when the child exits. */
  onSocketsSent?(sockets: import('node:events').EventEmitter): void;
  /** A handle did not reach the other end. */
  onUndelivered?(): void;
  /** The other end has violated the protocol. The channel stays open. */
  onError?(error: Error): void;
  /** A message without a callback could not be sent. */
  onUnsent?(error: Error): void;
  /**
   * An invalid message has arrived. `cause` is what decoding it threw, a text that says how the protocol was
   * violated, or undefined if the message is too long.
   */
  onBroken?(cause: unknown, key?: number): void;
  /** The other end has closed the channel. `isPartial`: in the middle of a message. */
  onEnd?(isPartial: boolean): void;
  /** The handles that `disconnect()` was waiting for have arrived. */
  onHandlesArrived?(): void;
  /** The channel has been closed by `disconnect()`, which the listener also calls after `onEnd`. */
  onDisconnect?(): void;
}

/** A file descriptor. */
export type RawFd = number;

/** A process, started by `spawn`, `execFile` and others. Before that its methods do nothing. */
export class Process {
  /** The process id; undefined if nothing was started. */
  readonly pid?: number;
  /** The negative errno because of which nothing was started. */
  readonly errno?: number;
  readonly spawnfile?: string;
  readonly spawnargs?: string[];
  /** The child's descriptors, one character each: `p` for a pipe, `-` for anything else. */
  readonly pipes?: string;
  /** The streams of this process that the child reads or writes. */
  readonly borrowed?: import('node:stream').Stream[];
  readonly channel?: Channel;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly killSignal?: number;
  /** With `lib/`: the call of `execFile`. */
  readonly call?: Call;
  /** Whether the exec is known to have succeeded. If it isn't known yet, `onspawn` will be called when it is. */
  awaitExec(): boolean;
  /**
   * With the option `all` of `capture`: the parts of both outputs that have come so far, in order. Each part is two
   * numbers, its descriptor and its length in bytes.
   */
  capturedParts(): number[];
  /** Closes the pipes that `takePipe` has not returned. */
  closePipes(): void;
  /** JavaScript has read more than `maxBuffer` from an output: ends the process. */
  cutOutput(index: number): void;
  /**
   * Ends the capture of `execFile`. Returns the arguments of its callback, and the command for `error.cmd`.
   * `end`: how the process ended, what else went wrong, and what streams have brought of the outputs.
   */
  finish(
    call: Call,
    end: { error?: unknown; code?: unknown; signal?: unknown; stdout?: unknown; stderr?: unknown },
  ): [error: any, stdout: unknown, stderr: unknown, command: string, all: unknown];
  /** Whether the event loop waits for the process. */
  hasRef(): boolean;
  /** Sends a signal. Returns 0 or a negative errno (`kill(2)`). */
  kill(signal: number): number;
  /** Calls `onspawn` now if it is due. */
  pollExec(): void;
  /** Makes the event loop wait for the process; it does from the start. */
  ref(): void;
  /** The time used in user mode and in the kernel, microseconds, and the largest resident set, kilobytes. */
  resourceUsage(): [user: number, system: number, maxRss: number] | undefined;
  /**
   * Ends the capture of an output. Returns what has been captured, and the settings of the call. `isLast`: the
   * process has exited and nothing is captured any more, so that `onend` will not be called.
   */
  stopCapture(index: number): { begun: Buffer; encoding?: BufferEncoding; isLast: boolean; maxBuffer: number };
  /** Cancels the timeout of the process. */
  stopTimer(): void;
  /** Our end of the child's descriptor `index`, which the caller has to close; -1 if there is none. */
  takePipe(index: number): number;
  /** Lets the event loop end before the process. */
  unref(): void;
}
/**
 * What `spawn` and others return: a new Process. For a given one, its pid and its pipes packed into a number: eight
 * times the pid (or the negative errno, if nothing was started), plus 1 if the child's standard input is a pipe, plus
 * 2 if its standard output is one, plus 4 if its standard error is one.
 */
export type Started = Process | number;
/** One call of `execFile`: an array that begins with its callback. */
export type Call = [callback: unknown, ...unknown[]];

/** The result of `normalize` for `follow`. */
export type Plan = object;

/**
 * Opens an end of a channel on the socket `fd`, which it then owns, unless this throws. `runtime` is the result of
 * `open`. Events are reported by calling the methods of `events`. If that is a Channel, it becomes the channel.
 * @throws `EBADF`, `EMFILE`, `ENOMEM`, `ENOSPC`.
 */
export function openChannel(runtime: number, fd: RawFd, options: ChannelOptions, events: ChannelEvents): Channel;

/** Sets close-on-exec on a descriptor that this process has inherited. Throws if it is not open. */
export function closeOnExec(fd: RawFd): void;

/** Passes an error to `uncaughtException`. */
export function throwUncaught(error: unknown): void;

/** Closes a descriptor. */
export function closeFd(fd: RawFd): void;

/**
 * Replaces the descriptor `target` by `fd`, which is closed (`dup2(2)`). The owner of `target` owns what replaces it.
 *
 * Throws if that fails.
 */
export function replaceFd(target: RawFd, fd: RawFd): void;

/**
 * Runs `file` (Node.js documentation, «child_process.execFile»). `callback(error, stdout, stderr)` is called when the
 * process has exited and its outputs are at their end. Returns the same as `spawn`.
 *
 * If `events` becomes the process, it has to call the callback. Its method `onexit(code, signal, syscall, outputs)` is
 * called, and `onend(outputs)` if an output outlives the process. `outputs` is undefined if they may bring more; null
 * if something went wrong or a stream has one of them, and then `finish` returns the arguments of the callback;
 * otherwise an array of both. Its method `onkill(signal)` has to kill the process.
 *
 * Throws what Node throws.
 */
export function execFile(file: unknown, args: unknown, options: unknown, callback: unknown, events?: object | undefined | null): Started;

/**
 * Like `execFile`, but takes all options of `spawn`, and of the other options of `execFile` only `encoding` and
 * `maxBuffer`. stdout and stderr are captured if they are pipes; with the option `all` also both in the order in which
 * they come.
 */
export function capture(file: unknown, args: unknown, options: unknown, callback: unknown, events: object): Started;

/** Runs a command line in a shell (Node.js documentation, «child_process.exec»). The rest is as with `execFile`. */
export function exec(command: unknown, options: unknown, callback: unknown, events?: object | undefined | null): Started;

/**
 * How children are started: by `clone`, so that the child shares the memory of this process until its exec, or by
 * `fork`, which copies its page tables.
 */
export function launchMethod(): 'clone' | 'fork';

/**
 * Normalises the arguments of the function `verb` (`spawn`, `fork` or `execFile`), and writes the options for `launch`
 * to `target`. Returns `killSignal`, the number of that option; `mayBeNative`, whether the child may have a native end
 * of a channel; `plan`, for `follow`; and for `execFile` the `call`, for `Process#finish`.
 *
 * Throws what the function `verb` throws.
 */
export function normalize(verb: string, call: Array<unknown>, host: object | undefined | null, target: object): { killSignal?: number; mayBeNative: boolean; plan: Plan; call?: Call };

/** Errnos and signals by their names. */
export function numbers(): Record<string, number>;

/**
 * Carries out the plan of `normalize` for `process`. `captures`: whether the outputs of `execFile` are captured
 * natively.
 */
export function follow(process: object, plan: Plan, captures: boolean): void;

/** The number of a signal given by name or number. Throws `ERR_UNKNOWN_SIGNAL`. */
export function signalNumber(signal: unknown, host?: object | undefined | null): number;

/**
 * Registers a copy of `lib/`. Returns its number, which the functions that open channels take. `hooks`: the functions
 * of `lib/common/errors.js`, and as `node` the parts of Node that channels use.
 */
export function open(hooks: object): number;

/** The version of the package to which this binary belongs. */
export function version(): string;

/**
 * Records which descriptors this process has inherited, because children inherit these, too. Must be called before other
 * code opens descriptors without close-on-exec.
 */
export function noteInherited(): void;

/** Whether this is the main thread and not a Worker. */
export function isMainThread(): boolean;

/**
 * Passes what a listener has thrown to `uncaughtException`. The caller must throw it once more, to end the call from
 * native code, which then does not report it again.
 */
export function reportUncaught(error: unknown): void;

/**
 * Starts `file` (Node.js documentation, «child_process.spawn»). Calls methods of `events`, all of which are optional:
 * `onspawn()` when the exec is confirmed, if `awaitExec` was called; `onexit(code, signal)` when the process has
 * exited; `onexit(-errno, null, syscall)` if the exec has failed (`spawn`) or nobody can know how the process ended
 * (`wait`).
 *
 * The process has the properties `pid`, or a negative `errno` if nothing was started; `spawnfile` and `spawnargs`;
 * `pipes`, which tells the child's pipes; `timeout`, `signal` and, as a number, `killSignal` if they were given;
 * `borrowed`, the streams of this process that the child reads or writes.
 *
 * If stdio asks for a channel and `events.runtime` is a result of `open`, the channel is open when this returns, and
 * keeps the event loop alive. The object that `events.onchannel()` returns becomes the channel. Without that method,
 * the process gets a new `channel`, which reports to `events`.
 *
 * `lib/` passes as `events` an object that is to become the process. It is recognised by a boolean property,
 * `inheritsEnvironment`: whether a child without `options.env` simply inherits the environment. Then
 * - the result is a number, see `Started`;
 * - the process has `pipes` only if there are more than three descriptors;
 * - after `spawn` it has `spawnfile` and `spawnargs` only if they are not `file`, and `file` followed by `args`;
 * - the caller has to end the process when the AbortSignal `signal` is aborted.
 *
 * Throws what Node throws.
 */
export function spawn(file: unknown, args: unknown, options: unknown, events?: object | undefined | null): Started;

/**
 * Starts the Node module `modulePath` with a channel (Node.js documentation, «child_process.fork»); the rest is as
 * with `spawn`.
 */
export function fork(modulePath: unknown, args: unknown, options: unknown, events?: object | undefined | null): Started;

/**
 * Starts a process from normalised options. `process` becomes it, as with `spawn`; `process.mayBeNative`: whether the
 * child may have a native end of a channel. `onChecked()` is called between the checks and the launch.
 *
 * Throws what `ChildProcess.prototype.spawn` throws.
 */
export function launch(options: unknown, process: object, onChecked?: (() => unknown) | undefined | null): Started;

/**
 * Starts `file` and waits until it has exited (Node.js documentation, «child_process.spawnSync»). `host.hooks` are the
 * functions of `lib/process/hooks.js`.
 */
export function spawnSync(file: unknown, args: unknown, options: unknown, host?: object | undefined | null): object;

/** Runs `file` and returns its output (Node.js documentation, «child_process.execFileSync»). */
export function execFileSync(file: unknown, args: unknown, options: unknown, host?: object | undefined | null): unknown;

/** Runs a command line in a shell and returns its output (Node.js documentation, «child_process.execSync»). */
export function execSync(command: unknown, options: unknown, host?: object | undefined | null): unknown;
