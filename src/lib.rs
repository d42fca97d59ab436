//! A native implementation of Node's `child_process`. `docs/architecture.md` describes the layers and how they work
//! together; CONTRIBUTING.md has the rules for each.

// `unsafe_code` is denied in Cargo.toml, and allowed here for the layers that may use it. `npm run lint` checks the
// other rules.
#[cfg_attr(test, expect(clippy::allow_attributes, reason = "`expect` does not see into modules"))]
#[cfg_attr(test, allow(dead_code, reason = "only N-API calls it"))]
mod api;
mod background;
mod backoff;
pub mod capture;
pub mod channel;
#[expect(unsafe_code, reason = "raw N-API")]
mod engine;
#[expect(unsafe_code, reason = "the child shares our memory until it execs")]
pub mod launch;
mod options;
pub mod process;
#[expect(unsafe_code, reason = "libuv")]
mod reactor;
#[expect(unsafe_code, reason = "system calls")]
pub mod sys;
#[expect(unsafe_code, reason = "V8's C++ interface")]
mod v8;
