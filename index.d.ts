/// <reference types="node" />

// Everything that type-checks with node:child_process type-checks with this package, because these are its very types.
export * from 'node:child_process';

declare module 'child_process' {
  interface ForkOptions {
    /** Whether a child that is this same Node gets the native end of the channel. Default: true. */
    nativeChannel?: boolean | undefined;
    /**
     * How long each end looks for a quick answer before it goes back to its event loop, microseconds; 0 never looks.
     * Default: 50, or `CHILD_PROCESS_RS_BUSY_POLL` in the environment.
     */
    busyPoll?: number | undefined;
    /** The longest message that is taken, bytes. A longer one is an 'error', and the end of the channel. Default: the engine's longest string, or 4 GiB with `serialization: 'advanced'`. */
    maxMessageSize?: number | undefined;
  }
}

/** Whether processes are started by the native addon. False where the builtin stands in: see the README for where that is. */
export const isNative: boolean;

/** The version of child-process-rs. */
export const version: string;
