import type { ExecFileOptions } from 'node:child_process';

/** What a run has used (getrusage(2)). */
export interface ResourceUsage {
  /** Time in user mode, microseconds. */
  userCPUTime: number;
  /** Time in the kernel, microseconds. */
  systemCPUTime: number;
  /**
   * The largest resident set, kilobytes. At least that of this process: the kernel counts the moment before the exec too, in
   * which the two share their memory.
   */
  maxRSS: number;
}

/** What came of a run. */
export interface Result<T = string> {
  stdout: T;
  stderr: T;
  /** Null where a signal ended the process. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** From the launch to the end, milliseconds. */
  durationMs: number;
  /** Null where nothing was started. */
  resourceUsage: ResourceUsage | null;
}

export interface Options extends ExecFileOptions {
  encoding?: BufferEncoding | 'buffer' | null;
  /** Written to the standard input of the command, which reads the null device otherwise. */
  input?: string | NodeJS.ArrayBufferView;
}

export interface ShellOptions extends Options {
  /** The shell to use instead of /bin/sh. */
  shell?: string;
}

interface BytesOptions {
  encoding: 'buffer' | null;
}

/** What a run that failed rejects with: the error that exec's callback gets, and what came of the run. */
export interface RunError extends Error, Result {
  code?: number | string | null;
  cmd: string;
  killed?: boolean;
}

/**
 * Runs `file` with `args`; no shell is involved. Rejects when the command fails, like child_process.execFile.
 */
export function execFile(file: string, args: readonly string[] | undefined, options: Options & BytesOptions): Promise<Result<Buffer>>;
export function execFile(file: string, options: Options & BytesOptions): Promise<Result<Buffer>>;
export function execFile(file: string, args?: readonly string[], options?: Options): Promise<Result>;
export function execFile(file: string, options?: Options): Promise<Result>;

/**
 * Runs a command line in a shell. Never put user input into the command: a shell reads it, and input such as `; rm -rf ~`
 * would be run. Use `execFile`, `$` or `sh` instead.
 */
export function exec(command: string, options: ShellOptions & BytesOptions): Promise<Result<Buffer>>;
export function exec(command: string, options?: ShellOptions): Promise<Result>;

/**
 * The lines that `file` writes, one by one as they come, without their line ends. The command is held back while nobody
 * asks for more, and killed when the loop is left. A command that fails throws after its last line.
 */
export function lines(file: string, args?: readonly string[], options?: Options): AsyncGenerator<string, void, void>;
export function lines(file: string, options?: Options): AsyncGenerator<string, void, void>;

type Word = string | number | bigint | boolean;

/** A template tag; called with options, it gives a tag that has them. */
export interface Tag {
  (strings: TemplateStringsArray, ...values: (Word | readonly Word[])[]): Promise<Result>;
  (options: Options): Tag;
}

/** $`ls -l ${path}`: each interpolation is exactly one argument, an array several; no shell is involved. */
export const $: Tag;

/** sh`ls -l ${path} | wc -l`: a shell reads it, with each interpolation quoted. */
export const sh: Tag;
