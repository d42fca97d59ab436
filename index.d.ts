/// <reference types="node" />

import * as builtin from 'node:child_process';

// Whatever type-checks with node:child_process type-checks with this package, because these are its very types. What is declared
// below adds to them and takes nothing away; it augments no module, so that the builtin's own types stay as they are.
export * from 'node:child_process';

/** What only this package's channels know. */
export interface ChannelOptions {
  /**
   * How long each end looks for a quick answer before it goes back to its event loop, microseconds; 0 never looks.
   * Default: 50, or `CHILD_PROCESS_RS_BUSY_POLL` in the environment.
   */
  busyPoll?: number | undefined;
  /** The longest message that is taken, bytes. A longer one is an 'error', and the end of the channel. Default: the engine's longest string, or 4 GiB with `serialization: 'advanced'`. */
  maxMessageSize?: number | undefined;
}

export interface ForkOptions extends builtin.ForkOptions, ChannelOptions {
  /** Whether a child that is this same Node gets the native end of the channel. Default: true. */
  nativeChannel?: boolean | undefined;
}

/** Starts a Node process with a channel to it, as `child_process.fork` does. */
export function fork(modulePath: string | URL, options?: ForkOptions): builtin.ChildProcess;
export function fork(modulePath: string | URL, args?: readonly string[], options?: ForkOptions): builtin.ChildProcess;

/** Starts a process, as `child_process.spawn` does. */
export const spawn: typeof builtin.spawn & {
  (command: string, options: builtin.SpawnOptions & ChannelOptions): builtin.ChildProcess;
  (command: string, args: readonly string[], options: builtin.SpawnOptions & ChannelOptions): builtin.ChildProcess;
};

/** Whether processes are started by the native addon. False where the builtin stands in: see the README for where that is. */
export const isNative: boolean;

/** The version of child-process-rs. */
export const version: string;
