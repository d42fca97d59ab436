//! The N-API layer: the functions and classes that `lib/` uses.

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
