import type { Readable, Stream, Writable } from 'node:stream';

/** The resources that a command has used (getrusage(2)). */
export interface ResourceUsage {
  /** Time in user mode, microseconds. */
  userCPUTime: number;
  /** Time in the kernel, microseconds. */
  systemCPUTime: number;
  /** The largest resident set, kilobytes. At least the memory of this process, because the command shares it until its exec. */
  maxRSS: number;
}

type Bytes = NodeJS.ArrayBufferView | ArrayBuffer;

/** A file that is written. */
export interface FileTarget {
  /** A relative path is relative to the working directory of this process. */
  file: string | URL;
  /** Appends to the file. Otherwise the file is emptied first. */
  append?: boolean | undefined;
}

/** What a command can read from. */
export type Input =
  { file: string | URL } | Readable | ReadableStream | Bytes | Iterable<string | Bytes> | AsyncIterable<string | Bytes>;

type Mode = 'pipe' | 'inherit' | 'ignore';

/** Not text and not an array: these would be a Mode with a mistake in it. */
export type StdinOption = Mode | number | Stream | Bytes | (Input & { readonly length?: never });
export type OutputOption =
  Mode | number | Stream | FileTarget | readonly ('pipe' | 'inherit' | FileTarget | Writable)[];
export type StdioOption =
  | Mode
  | readonly [
      stdin?: StdinOption | null,
      stdout?: OutputOption | null,
      stderr?: OutputOption | null,
      ...(Mode | number | Stream | FileTarget | null | undefined)[],
    ];

export interface Options {
  /** Adds `all` to the result: both outputs in the order in which they arrived. Default: false. */
  all?: boolean | undefined;
  /** The command's `argv[0]`. Default: `file`. */
  argv0?: string | undefined;
  /** Whether the result has the outputs. If not, the command is blocked until its streams are read. Default: true. */
  buffer?: boolean | undefined;
  /** Ends the command when this process ends. Default: true. */
  cleanup?: boolean | undefined;
  /** The working directory of the command. Default: that of this process. */
  cwd?: string | URL | undefined;
  /** Gives the command its own session and process group. It may outlive this process. Default: false. */
  detached?: boolean | undefined;
  /** How the outputs are decoded; with 'buffer' they are of type Uint8Array. Default: 'utf8'. */
  encoding?: BufferEncoding | 'buffer' | undefined;
  /** The environment of the command. Default: that of this process. */
  env?: NodeJS.ProcessEnv | undefined;
  /** Whether `env` is added to the environment of this process instead of replacing it. Default: false. */
  extendEnv?: boolean | undefined;
  /** How long after `killSignal` a command that has not ended gets SIGKILL, milliseconds; false: never. Default: 5000. */
  forceKillAfterDelay?: number | boolean | undefined;
  gid?: number | undefined;
  /** What the command reads. Default: nothing, the null device. */
  input?: string | Input | undefined;
  /** The signal that ends the command. Default: 'SIGTERM'. */
  killSignal?: NodeJS.Signals | number | undefined;
  /** Whether the outputs are arrays of lines. Default: false. */
  lines?: boolean | undefined;
  /** The limit of each output, bytes. A command that writes more is ended. Default: 100,000,000. */
  maxBuffer?: number | undefined;
  /** Looks for the command first in node_modules/.bin of `cwd` or the given directory, and of those above. Default: false. */
  preferLocal?: boolean | string | URL | undefined;
  /** Whether the promise is rejected if the command fails. If not, it is resolved with the error. Default: true. */
  reject?: boolean | undefined;
  /** The shell that runs the command. Default: none for `execFile`, /bin/sh for `exec` and `sh`. `$` refuses it. */
  shell?: boolean | string | URL | undefined;
  /** Ends the command when it is aborted. */
  signal?: AbortSignal | undefined;
  /** Default: 'pipe'. */
  stderr?: OutputOption | undefined;
  /** Default: 'ignore', the null device. */
  stdin?: StdinOption | undefined;
  /** One value for stdin, stdout and stderr, or an array, which may have further descriptors. */
  stdio?: StdioOption | undefined;
  /** Default: 'pipe'. */
  stdout?: OutputOption | undefined;
  /** Whether the final newline of an output is removed. Default: true. */
  stripFinalNewline?: boolean | undefined;
  /** After how many milliseconds the command is ended; 0: never. Default: 0. */
  timeout?: number | undefined;
  uid?: number | undefined;
  /** Writes a line to stderr when a command starts and when it ends ('short'), and its outputs too ('full'). Default: 'none'. */
  verbose?: 'none' | 'short' | 'full' | undefined;
  windowsHide?: boolean | undefined;
  windowsVerbatimArguments?: boolean | undefined;
}

export type From = 'stdout' | 'stderr' | 'all';

export interface LinesOptions extends Options {
  /** Which output is read. Default: 'stdout'. */
  from?: From | undefined;
}

export interface PipeOptions extends Options {
  /** Which output is piped. Default: 'stdout'. */
  from?: From | undefined;
}

export interface ShellOptions extends Options {
  /** Whether a pipeline in the script fails if any of its commands does. Uses bash unless `shell` is given. Default: false. */
  pipefail?: boolean | undefined;
}

/** The options O; one that K does not have is a type error. */
type Known<O, K> = O & { [name in Exclude<keyof O, keyof K>]: never };

/** The value of the option N. */
type Value<O, N extends string> = N extends keyof O ? O[N] : undefined;

type Text<O> =
  true extends Value<O, 'lines'>
    ? string[] | ([Value<O, 'lines'>] extends [true] ? never : Decoded<Value<O, 'encoding'>>)
    : Decoded<Value<O, 'encoding'>>;

type Decoded<E> = ('buffer' extends E ? Uint8Array : never) | ([E] extends ['buffer'] ? never : string);

type IsKept<V> = [V] extends ['pipe' | undefined | null]
  ? true
  : [V] extends [readonly unknown[]]
    ? 'pipe' extends V[number]
      ? true
      : false
    : 'pipe' extends V
      ? boolean
      : undefined extends V
        ? boolean
        : false;

type Entry<O, Name extends 'stdout' | 'stderr'> = O extends { stdio: infer S }
  ? S extends readonly unknown[]
    ? S extends readonly [unknown, infer Out, ...infer Rest]
      ? Name extends 'stdout'
        ? Out
        : Rest extends readonly [infer Err, ...unknown[]]
          ? Err
          : undefined
      : S[number] | undefined
    : S
  : Value<O, Name>;

type Output<O, Name extends 'stdout' | 'stderr'> =
  | (false extends Value<O, 'buffer'> ? undefined : never)
  | ([Value<O, 'buffer'>] extends [false] ? never : IsKept<Entry<O, Name>> extends infer K ? OfKept<O, K> : never);

type OfKept<O, Kept> = Kept extends true ? Text<O> : undefined;

type All<O> = true extends Value<O, 'all'> ? Output<O, 'stdout'> | Output<O, 'stderr'> | undefined : undefined;

interface Properties<O> {
  /** The command as it would be typed into a shell. */
  command: string;
  /** Null if a signal ended the command, or it was not started. */
  exitCode: number | null;
  /** The signal that ended the command. */
  signal: NodeJS.Signals | null;
  failed: boolean;
  /** Whether it took longer than `timeout`. */
  timedOut: boolean;
  /** Whether the option `signal` was aborted. */
  isCanceled: boolean;
  /** Whether it wrote more than `maxBuffer`. */
  isMaxBuffer: boolean;
  /** Whether a signal ended it. */
  isTerminated: boolean;
  /** The time from the start to the end, milliseconds. */
  durationMs: number;
  /** Null if Node's own child_process is used, with `sync`, and if nothing was started. */
  resourceUsage: ResourceUsage | null;
  stdout: Output<O, 'stdout'>;
  stderr: Output<O, 'stderr'>;
  /** With the option `all`: both outputs in the order in which they arrived. */
  all?: All<O>;
  /** The results of the commands whose output this one read (`pipe`). */
  pipedFrom: (Result<Options> | CommandError<Options>)[];
}

/** The result of a command that succeeded. */
export interface Result<O = {}> extends Properties<O> {
  failed: boolean;
}

/** The error of a command that failed. */
export interface CommandError<O = Options> extends Error, Properties<O> {
  name: 'CommandError';
  failed: true;
  /** The message without the command's stderr. */
  shortMessage: string;
  /** The code of `cause`, such as 'ENOENT' if the command could not be started. */
  code?: string;
  /** The system error, the reason of an AbortSignal, or the error of a stream. */
  cause?: unknown;
}

export declare const CommandError: {
  prototype: CommandError;
  [Symbol.hasInstance](value: unknown): value is CommandError;
};

type Outcome<O> = O extends { reject: infer R }
  ? false extends R
    ? Result<O> | CommandError<O>
    : Result<O>
  : Result<O>;

type IsPipe<V> = [V] extends ['pipe'] ? true : [V] extends [Mode | number | FileTarget | undefined] ? false : boolean;
type StreamOf<V, S> = 'pipe' extends V ? (V extends 'pipe' ? S : null) : IsPipe<V> extends false ? null : S | null;

type Stdin<O> = O extends { stdio: infer S }
  ? S extends 'pipe'
    ? Writable
    : Writable | null
  : O extends { input: infer I }
    ? [I] extends [undefined | { file: unknown }]
      ? null
      : Writable | null
    : O extends { stdin: infer V }
      ? StreamOf<V, Writable>
      : 'stdin' extends keyof O
        ? Writable | null
        : null;

type OutputStream<O, Name extends 'stdout' | 'stderr'> =
  IsKept<Entry<O, Name>> extends true ? Readable : Readable | null;

/** The promise of a command's result, which also controls the command while it runs. */
export interface Running<O = {}> extends Promise<Outcome<O>>, AsyncIterable<string> {
  /** Undefined if the command could not be started. */
  readonly pid: number | undefined;
  /** The streams are created when they are first accessed. Null if it is not a pipe. */
  readonly stdin: Stdin<O>;
  readonly stdout: OutputStream<O, 'stdout'>;
  readonly stderr: OutputStream<O, 'stderr'>;
  readonly stdio: (Readable | Writable | null)[];
  /**
   * Sends a signal, and returns whether it was sent. Without an argument sends `killSignal`, and SIGKILL if the command has not ended
   * after `forceKillAfterDelay`.
   */
  kill(signal?: NodeJS.Signals | number): boolean;
  /** Makes the event loop wait for the command; it does from the start. */
  ref(): this;
  /** Lets the event loop end before the command. */
  unref(): this;
  /** The lines of an output as they arrive. `for await` uses those of stdout. */
  iterable(options?: { from?: From | undefined }): AsyncGenerator<string, void, void>;
  /** Makes another command read the output of this one. Returns the promise of that command, which fails if this one does. */
  pipe(strings: TemplateStringsArray, ...values: Interpolation[]): Running;
  pipe<P extends Options>(destination: Running<P>, options?: { from?: From | undefined }): Running<P>;
  pipe<const P extends PipeOptions = {}>(
    file: string | URL,
    args?: readonly (string | number)[] | null,
    options?: Known<P, PipeOptions>,
  ): Running<P>;
  pipe<const P extends PipeOptions>(file: string | URL, options: Known<P, PipeOptions>): Running<P>;
  pipe<const P extends PipeOptions>(
    options: Known<P, PipeOptions>,
  ): (strings: TemplateStringsArray, ...values: Interpolation[]) => Running<P>;
  [Symbol.asyncIterator](): AsyncGenerator<string, void, void>;
  /** Ends the command and waits until it has ended. */
  [Symbol.asyncDispose](): Promise<void>;
}

type Args = readonly (string | number)[] | null | undefined;

/** Runs `file` with `args`, without a shell. */
export function execFile<const O extends Options = {}>(
  file: string | URL,
  args?: Args,
  options?: Known<O, Options>,
): Running<O>;
export function execFile<const O extends Options>(file: string | URL, options: Known<O, Options>): Running<O>;

/**
 * Runs a command line in a shell. Never put user input into the command: the shell would run input such as `; rm -rf ~`. Use
 * `execFile`, `$` or `sh` instead.
 */
export function exec<const O extends Options = {}>(command: string, options?: Known<O, Options>): Running<O>;

/**
 * Runs `file` and yields the lines of its output as they arrive, without line ends. The command is started when the first line is
 * requested. It is blocked while no more lines are requested, and ended when the consumer leaves its loop. If the command fails, this
 * throws after the last line.
 */
export function lines(file: string | URL, args?: Args, options?: LinesOptions): AsyncGenerator<string, void, void>;
export function lines(file: string | URL, options?: LinesOptions): AsyncGenerator<string, void, void>;

type Word = string | number | bigint | boolean | Result<any> | CommandError<any>;
export type Interpolation = Word | readonly Word[];

interface SyncTag<O, K> {
  (strings: TemplateStringsArray, ...values: Interpolation[]): Outcome<O>;
  <const P extends K>(options: Known<P, K>): SyncTag<Merged<O, P>, K>;
}

type Merged<O, P> = Omit<O, keyof P> & P;

/** A template tag. Called with options, it returns a tag that uses them in addition. */
export interface Tag<O = {}, K = Options> {
  (strings: TemplateStringsArray, ...values: Interpolation[]): Running<O>;
  <const P extends K>(options: Known<P, K>): Tag<Merged<O, P>, K>;
  /** The same, blocking until the command has ended. */
  sync: SyncTag<O, K>;
}

/**
 * $`ls -l ${path}`: each interpolated value is exactly one argument, and an array is several. Quotes have the meaning that they have in
 * a shell, but no shell is used.
 */
export const $: Tag;

/** sh`ls -l ${path} | wc -l`: runs in a shell, which does not parse the interpolated values. */
export const sh: Tag<{}, ShellOptions>;
