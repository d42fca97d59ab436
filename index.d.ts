/// <reference types="node" />

import * as builtin from 'node:child_process';

// Whatever type-checks with node:child_process also type-checks with this package, because it uses the same types. The declarations
// below only add to them. They do not augment a module, so the builtin's own types stay unchanged.
export * from 'node:child_process';

/** Options that only this package's channels have. */
export interface ChannelOptions {
  /**
   * How long parent and child each poll the channel for a quick answer before they return to the event loop,
   * microseconds. 0 disables polling. Default: the environment variable `CHILD_PROCESS_RS_BUSY_POLL`, or 50.
   */
  busyPoll?: number | undefined;
  /**
   * The longest message that is accepted, bytes. A longer one is reported as an 'error' event, and closes the channel.
   * Default: the length of V8's longest string (512 MiB), or 4 GiB with `serialization: 'advanced'`.
   */
  maxMessageSize?: number | undefined;
}

export interface ForkOptions extends builtin.ForkOptions, ChannelOptions {
  /** Whether a child that runs the same Node binary uses this package for its end of the channel. Default: true. */
  nativeChannel?: boolean | undefined;
}

/** Starts a Node process with an IPC channel, as `child_process.fork` does. */
export function fork(modulePath: string | URL, options?: ForkOptions): builtin.ChildProcess;
export function fork(modulePath: string | URL, args?: readonly string[], options?: ForkOptions): builtin.ChildProcess;

/** Starts a process, as `child_process.spawn` does. */
export const spawn: typeof builtin.spawn & {
  (command: string, options: builtin.SpawnOptions & ChannelOptions): builtin.ChildProcess;
  (command: string, args: readonly string[], options: builtin.SpawnOptions & ChannelOptions): builtin.ChildProcess;
};

/** Whether the native addon is used. If not, this package exports Node's own child_process. */
export const isNative: boolean;

/** The version of child-process-rs. */
export const version: string;
