//! The protocol of the IPC channel, without JavaScript: what goes over the socket and when (Node.js documentation,
//! «Advanced serialization» and «child_process.fork»).
//!
//! The wire format is the builtin's, so either end may be the builtin: a stream socket that carries one JSON text a
//! line, or length-prefixed values in V8's format. `src/api/channel` converts between JavaScript values and these
//! bytes.

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

/// How messages are serialised: `options.serialization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One JSON text a line.
    Json,
    /// A big-endian length of four bytes, and a value in V8's format.
    Advanced,
}

#[cfg(test)]
mod tests;
