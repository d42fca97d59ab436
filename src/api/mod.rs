//! The N-API face: what `lib/` sees of the Rust.

mod channel;
mod decoding;
mod descriptors;
mod exec;
mod forking;
mod link;
mod normalize;
mod numbers;
mod process;
mod results;
mod runtime;
mod spawn;
mod sync;
