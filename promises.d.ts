import type { Readable, Stream, Writable } from 'node:stream';

/** The resources that a command has used (getrusage(2)). */
export interface ResourceUsage {
  /** Time in user mode, microseconds. */
  userCPUTime: number;
  /** Time in the kernel, microseconds. */
  systemCPUTime: number;
  /**
   * The largest resident set, kilobytes. At least that of this process, because the kernel includes the time before the exec, in
   * which both processes share their memory.
   */
  maxRSS: number;
}

type Bytes = NodeJS.ArrayBufferView | ArrayBuffer;

/** A file that is read, or written. */
export interface FileTarget {
  /** A relative path is relative to the directory of this process. */
  file: string | URL;
  /** Writes to the end of the file. Otherwise the file is emptied. */
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
  /** Adds `all` to the result: both outputs in the order in which they came. Default: false. */
  all?: boolean | undefined;
  /** The name under which the command is started. Default: `file`. */
  argv0?: string | undefined;
  /** Whether the result has the outputs. If not, the command waits until its streams are read. Default: true. */
  buffer?: boolean | undefined;
  /** Ends the command when this process ends. Default: true. */
  cleanup?: boolean | undefined;
  /** The directory of the command. Default: that of this process. */
  cwd?: string | URL | undefined;
  /** Gives the command a process group and session of its own; it then lives on. Default: false. */
  detached?: boolean | undefined;
  /** How the outputs are decoded; with 'buffer' they are of type Uint8Array. Default: 'utf8'. */
  encoding?: BufferEncoding | 'buffer' | undefined;
  /** The environment of the command. Default: that of this process. */
  env?: NodeJS.ProcessEnv | undefined;
  /** Whether the command has the environment of this process, too, beside `env`. Default: false. */
  extendEnv?: boolean | undefined;
  /** How long a command that is to end may take before it is killed with SIGKILL, milliseconds; false: forever. Default: 5000. */
  forceKillAfterDelay?: number | boolean | undefined;
  gid?: number | undefined;
  /** What the command reads. Default: nothing, the null device. */
  input?: string | Input | undefined;
  /** The signal that ends the command. Default: 'SIGTERM'. */
  killSignal?: NodeJS.Signals | number | undefined;
  /** Whether the outputs are arrays of lines. Default: false. */
  lines?: boolean | undefined;
  /** The most bytes of each output. A command that writes more is ended. Default: 100,000,000. */
  maxBuffer?: number | undefined;
  /** Searches the command in node_modules/.bin first: of `cwd` or the given directory, and of those above. Default: false. */
  preferLocal?: boolean | string | URL | undefined;
  /** Whether a failure rejects the promise. If not, it is resolved with the error. Default: true. */
  reject?: boolean | undefined;
  /** The shell that runs the command. Default of `execFile` and `$`: none; of `exec` and `sh`: /bin/sh. */
  shell?: boolean | string | URL | undefined;
  /** Ends the command when it is aborted. */
  signal?: AbortSignal | undefined;
  /** Default: 'pipe'. */
  stderr?: OutputOption | undefined;
  /** Default: 'ignore', the null device. */
  stdin?: StdinOption | undefined;
  /** stdin, stdout, stderr and further descriptors at once. */
  stdio?: StdioOption | undefined;
  /** Default: 'pipe'. */
  stdout?: OutputOption | undefined;
  /** Whether the last newline of an output is taken away. Default: true. */
  stripFinalNewline?: boolean | undefined;
  /** When the command is ended, milliseconds; 0: never. Default: 0. */
  timeout?: number | undefined;
  uid?: number | undefined;
  /** Writes commands to stderr ('short'), and what they write, too ('full'). Default: 'none'. */
  verbose?: 'none' | 'short' | 'full' | undefined;
  windowsHide?: boolean | undefined;
  windowsVerbatimArguments?: boolean | undefined;
}

export type From = 'stdout' | 'stderr' | 'all';

export interface LinesOptions extends Options {
  /** Whose lines: of stdout, of stderr, or of both. Default: 'stdout'. */
  from?: From | undefined;
}

export interface PipeOptions extends Options {
  /** What is piped. Default: 'stdout'. */
  from?: From | undefined;
}

export interface ShellOptions extends Options {
  /** Whether a pipeline in the script fails if any of its commands does. Runs in bash if `shell` is not given. Default: false. */
  pipefail?: boolean | undefined;
}

/** The options O, of which all are known in K. */
type Known<O, K> = O & { [name in Exclude<keyof O, keyof K>]: never };

/** What the option N is. */
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
  timedOut: boolean;
  /** The option `signal` was aborted. */
  isCanceled: boolean;
  /** It wrote more than `maxBuffer`. */
  isMaxBuffer: boolean;
  /** A signal ended it. */
  isTerminated: boolean;
  /** The time from the start to the end, milliseconds. */
  durationMs: number;
  /** Null where it is not known: over the builtin, and if nothing was started. */
  resourceUsage: ResourceUsage | null;
  stdout: Output<O, 'stdout'>;
  stderr: Output<O, 'stderr'>;
  /** With the option `all`: both outputs in the order in which they came. */
  all?: All<O>;
  /** The results of the commands whose output this one read (`pipe`). */
  pipedFrom: (Result<Options> | CommandError<Options>)[];
}

/** What a command has brought. */
export interface Result<O = {}> extends Properties<O> {
  failed: boolean;
}

/** The error of a command that failed. */
export interface CommandError<O = Options> extends Error, Properties<O> {
  name: 'CommandError';
  failed: true;
  /** The message without what the command wrote to its stderr. */
  shortMessage: string;
  /** Of the system, such as 'ENOENT', where the command could not be started. */
  code?: string;
  /** The error of the system, the reason of an AbortSignal, or the error of a stream. */
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

/** A command that runs, and the promise of its result. */
export interface Running<O = {}> extends Promise<Outcome<O>>, AsyncIterable<string> {
  /** Undefined if the command could not be started. */
  readonly pid: number | undefined;
  /** Created when it is first asked for; null if it is not a pipe. */
  readonly stdin: Stdin<O>;
  readonly stdout: OutputStream<O, 'stdout'>;
  readonly stderr: OutputStream<O, 'stderr'>;
  readonly stdio: (Readable | Writable | null)[];
  /** Sends a signal; without one, `killSignal`, and SIGKILL if the command takes too long to end. Returns whether it was sent. */
  kill(signal?: NodeJS.Signals | number): boolean;
  /** Makes the event loop wait for the command; it does from the start. */
  ref(): this;
  /** Lets the event loop end before the command. */
  unref(): this;
  /** The lines of an output as they come. `for await` uses those of stdout. */
  iterable(options?: { from?: From | undefined }): AsyncGenerator<string, void, void>;
  /** Has another command read what this one writes. Returns that command, which fails if this one does. */
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
 * Runs `file` and yields the lines of its output as they come, without line ends. The command is started when the first line is
 * asked for, held back while the consumer does not ask for more, and ended when the consumer leaves its loop. If the command fails,
 * this throws after the last line.
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

/** A template tag. Called with options, it returns a tag that uses them, too. */
export interface Tag<O = {}, K = Options> {
  (strings: TemplateStringsArray, ...values: Interpolation[]): Running<O>;
  <const P extends K>(options: Known<P, K>): Tag<Merged<O, P>, K>;
  /** The same, blocking until the command has ended. */
  sync: SyncTag<O, K>;
}

/**
 * $`ls -l ${path}`: each interpolated value is exactly one argument, and an array is several. Quotes are read as a shell reads them.
 * There is no shell.
 */
export const $: Tag;

/** sh`ls -l ${path} | wc -l`: runs in a shell, which takes each interpolated value as data. */
export const sh: Tag<{}, ShellOptions>;
