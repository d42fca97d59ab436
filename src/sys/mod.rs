//! Linux system calls, through nix where it has them, otherwise through libc.

use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use libc::c_int;
use nix::sys::resource::{Resource, getrlimit};
use nix::time::{ClockId, clock_gettime};

pub mod child;
mod clone;
mod descriptors;
mod environment;
mod execvp;
mod files;
mod memory;
mod pidfd;
mod signals;
mod sockets;
#[cfg(test)]
mod tests;
mod wait;
mod watched;

pub use clone::*;
pub use descriptors::*;
pub use environment::*;
pub use execvp::*;
pub use files::*;
pub use memory::*;
pub use pidfd::*;
pub use signals::*;
pub use sockets::*;
pub use wait::*;
pub use watched::*;

/// Turns the result `-1` of a libc call into an error with `errno`.
fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The positive errno of a failed system call.
#[must_use]
pub fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// The size of a memory page, bytes (`sysconf(3)`).
#[must_use]
pub fn page_size() -> NonZeroUsize {
    /// The usual size, if the system does not say.
    const USUAL: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
    // SAFETY: a plain integer.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().and_then(NonZeroUsize::new).unwrap_or(USUAL)
}

/// How many descriptors this process may have (`getrlimit(2)`, `RLIMIT_NOFILE`).
#[must_use]
pub fn most_descriptors() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft)
}

/// A clock that is cheap to read and advances every few milliseconds (`CLOCK_MONOTONIC_COARSE`), nanoseconds.
#[must_use]
pub fn coarse_time() -> u64 {
    // Fails only for an unknown clock.
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE);
    time.map_or(0, |time| Duration::from(time).as_nanos() as u64)
}

/// Calls `hook` when the process exits, after JavaScript has ended (`atexit(3)`).
pub fn at_exit(hook: extern "C" fn()) {
    // SAFETY: a plain function. If there is no memory for it, the hook is not called.
    unsafe { libc::atexit(hook) };
}
