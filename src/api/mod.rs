//! The N-API face: what `lib/` sees of the Rust.

mod capture;
mod channel;
mod descriptors;
mod off_loop;
mod output;
mod process;
mod runtime;
