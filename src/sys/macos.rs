//! macOS: no process descriptors and no clone. Children are forked, and a thread waits for each.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use libc::pid_t;

use super::{Cloned, Exit, Mapping, Shared, check, clock};

#[path = "macos_child.rs"]
pub mod child;

/// The signals that only this platform has.
pub const SIGNALS: &[(&str, i32)] = &[("SIGINFO", libc::SIGINFO), ("SIGEMT", libc::SIGEMT)];
/// What `ru_maxrss` counts, bytes.
pub const MAX_RSS_UNIT: u64 = 1;
/// Whether the C library leaves the old string of an environment variable where it is when the variable is
/// set anew.
pub const KEEPS_OLD_ENVIRONMENT: bool = false;

pub(super) fn environ() -> *const *const c_char {
    // SAFETY: always valid; see `for_each_env` for who writes to it.
    unsafe { (*libc::_NSGetEnviron()).cast_const().cast() }
}

/// A pair of connected stream sockets, close-on-exec and blocking.
///
/// # Errors
/// Those of `socketpair(2)`: `EMFILE`, `ENFILE`.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: `fds` has room for two descriptors.
    check(unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, fds.as_mut_ptr()) })?;
    own_pair(fds)
}

/// A clock that is read in no time and turns every few milliseconds (`CLOCK_MONOTONIC_RAW_APPROX`),
/// nanoseconds.
#[must_use]
pub fn coarse_time() -> u64 {
    clock(libc::CLOCK_MONOTONIC_RAW_APPROX)
}

/// How the channel reads: what is there now (`recvmsg(2)`), which cannot close descriptors at exec.
pub(super) const RECEIVE_FLAGS: c_int = libc::MSG_DONTWAIT;

/// There are no seals here.
///
/// # Errors
/// `ENOSYS`.
pub fn shared_memory(_bytes: &[u8], _size: usize) -> io::Result<(Shared, OwnedFd)> {
    unsupported()
}

/// There are no seals here.
///
/// # Errors
/// `ENOSYS`.
pub fn map_shared(_fd: OwnedFd, _size: usize) -> io::Result<Shared> {
    unsupported()
}

/// What is needed only with the above.
///
/// # Errors
/// `ENOSYS`.
pub fn new_memory(_length: usize) -> io::Result<Mapping> {
    unsupported()
}

/// A close-on-exec pipe: (read end, write end).
///
/// # Errors
/// Those of `pipe(2)`: `EMFILE`, `ENFILE`.
pub fn status_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: `fds` has room for two descriptors.
    check(unsafe { libc::pipe(fds.as_mut_ptr()) })?;
    own_pair(fds)
}

fn own_pair(fds: [RawFd; 2]) -> io::Result<(OwnedFd, OwnedFd)> {
    // SAFETY: the kernel has just made both and nobody else knows them.
    let pair = unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) };
    for fd in fds {
        // SAFETY: plain integers.
        check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    }
    Ok(pair)
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

/// There are no process descriptors here.
///
/// # Errors
/// Always `ENOSYS`.
pub fn process_fd(_pid: pid_t) -> io::Result<OwnedFd> {
    unsupported()
}

/// There are no process descriptors here.
///
/// # Errors
/// Always `ENOSYS`.
pub fn kill_by_fd(_process: BorrowedFd, _signal: i32) -> io::Result<()> {
    unsupported()
}

/// There are no process descriptors here.
#[must_use]
pub fn exit_by_fd(_process: BorrowedFd) -> Option<Exit> {
    None
}

/// Nothing sets such a word here: children are forked.
pub fn wait_while_set(_word: &AtomicI32, _timeout: Option<Duration>) {}

/// There is no clone here.
///
/// # Safety
/// None is needed.
///
/// # Errors
/// Always `ENOSYS`.
pub unsafe fn clone_sharing_memory(
    _run: extern "C" fn(*mut c_void) -> c_int,
    _stack_top: *mut c_void,
    _argument: *mut c_void,
    _occupied: &AtomicI32,
    _want_process_fd: bool,
) -> io::Result<Cloned> {
    unsupported()
}
