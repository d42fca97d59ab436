import type { ExecFileOptions } from 'node:child_process';

/** The resources that a process has used (getrusage(2)). */
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

/** The result of a run. */
export interface Result<T = string> {
  stdout: T;
  stderr: T;
  /** Null if a signal ended the process. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The time from the launch to the end, milliseconds. */
  durationMs: number;
  /** Null if nothing was started, or if the builtin is patched or observed, so that `exec` or `execFile` ran the command. */
  resourceUsage: ResourceUsage | null;
}

export interface Options extends ExecFileOptions {
  encoding?: BufferEncoding | 'buffer' | null;
  /** Written to the standard input of the command. Without it, standard input is the null device. */
  input?: string | NodeJS.ArrayBufferView;
}

export interface ShellOptions extends Options {
  /** The shell to use instead of /bin/sh. */
  shell?: string;
}

interface BytesOptions {
  encoding: 'buffer' | null;
}

/** The error of a failed run: the error that exec's callback gets, with the properties of the result. */
export interface RunError extends Error, Result {
  code?: number | string | null;
  cmd: string;
  killed?: boolean;
}

/**
 * Runs `file` with `args`, without a shell. Rejects if the command fails, like child_process.execFile.
 */
export function execFile(
  file: string,
  args: readonly string[] | undefined,
  options: Options & BytesOptions,
): Promise<Result<Buffer>>;
export function execFile(file: string, options: Options & BytesOptions): Promise<Result<Buffer>>;
export function execFile(file: string, args?: readonly string[], options?: Options): Promise<Result>;
export function execFile(file: string, options?: Options): Promise<Result>;

/**
 * Runs a command line in a shell. Never put user input into the command: the shell would run input such as `; rm -rf ~`. Use
 * `execFile`, `$` or `sh` instead.
 */
export function exec(command: string, options: ShellOptions & BytesOptions): Promise<Result<Buffer>>;
export function exec(command: string, options?: ShellOptions): Promise<Result>;

/**
 * Runs `file` and yields the lines of its output as they come, without line ends. The command is blocked while the consumer does
 * not ask for more lines, and killed when the consumer leaves its loop. If the command fails, this throws after the last line.
 */
export function lines(file: string, args?: readonly string[], options?: Options): AsyncGenerator<string, void, void>;
export function lines(file: string, options?: Options): AsyncGenerator<string, void, void>;

type Word = string | number | bigint | boolean;

/** A template tag. Called with options, it returns a tag that uses them. */
export interface Tag {
  (strings: TemplateStringsArray, ...values: (Word | readonly Word[])[]): Promise<Result>;
  (options: Options): Tag;
}

/** $`ls -l ${path}`: each interpolated value is exactly one argument, and an array is several. There is no shell. */
export const $: Tag;

/** sh`ls -l ${path} | wc -l`: runs in a shell, with each interpolated value quoted. */
export const sh: Tag;
