//! The N-API face: what `lib/` sees of the Rust.

mod channel;
mod descriptors;
mod exec;
mod forking;
mod normalize;
mod output;
mod process;
mod results;
mod run;
mod runtime;
mod spawn;
mod sync;
