//! The IPC channel of `fork()`: what goes over the socket and when, as plain Rust (Node.js documentation, «Advanced
//! serialization» and «child_process.fork»).
//!
//! The wire is the builtin's, so that either end may be the builtin: a stream socket that carries one JSON text a line, or
//! values as V8 serialises them, each after its length. Values themselves are made and read in `src/api`.

pub mod ancillary;
pub mod counting;
pub mod handles;
pub mod inbox;
pub mod internal;
pub mod json;
pub mod missing;
pub mod outbox;
pub mod peer;
pub mod reader;
pub mod shared;
pub mod spin;
pub mod v8;
pub mod word;
pub mod writer;

/// How messages are serialised, `options.serialization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One JSON text a line.
    Json,
    /// A length of four bytes, most significant first, and a value as V8 serialises it.
    Advanced,
}

#[cfg(test)]
mod tests;
