//! File descriptors: creating, duplicating, adopting and checking them.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use libc::c_int;
use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe2;

use super::check;

/// A pair of connected stream sockets, close-on-exec and blocking.
///
/// # Errors
/// Those of `socketpair(2)`: `EMFILE`, `ENFILE`.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?)
}

/// A close-on-exec pipe: (read end, write end).
///
/// # Errors
/// Those of `pipe2(2)`: `EMFILE`, `ENFILE`.
pub fn status_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(pipe2(OFlag::O_CLOEXEC)?)
}

/// Becomes the owner of a descriptor that this process was given by number, and sets close-on-exec on it.
///
/// # Errors
/// `EBADF` if the number is not an open descriptor.
pub fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain integers.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, so it is not -1; the caller was given it and promises that it has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Replaces the descriptor `target` by a non-blocking copy of `fd` (`dup2(2)`).
///
/// # Errors
/// `EBUSY` if another thread is opening the same number, `EMFILE`.
pub fn replace(target: RawFd, fd: &OwnedFd) -> io::Result<()> {
    // SAFETY: plain integers. The owner of `target` also owns what replaces it.
    unsafe {
        check(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK))?;
        check(libc::dup2(fd.as_raw_fd(), target))?;
        check(libc::fcntl(target, libc::F_SETFD, libc::FD_CLOEXEC)).map(drop)
    }
}

/// Duplicates a descriptor, close-on-exec (`fcntl(2)`, `F_DUPFD_CLOEXEC`).
///
/// # Errors
/// `EBADF`, `EMFILE`.
pub fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain integers; the result is a new descriptor without another owner.
    unsafe { check(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3)).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// Checks that `fd` is an open descriptor.
///
/// # Errors
/// `EBADF`.
pub fn check_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(drop)
}

/// Whether `fd` is open and does not have close-on-exec.
#[must_use]
pub fn is_inheritable(fd: RawFd) -> bool {
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).is_ok_and(|flags| flags & libc::FD_CLOEXEC == 0)
}

/// Waits until an entry of `set` is ready, but at most for `timeout` (`poll(2)`); `None` waits forever. After an
/// interruption by a signal, no entry is ready.
///
/// # Errors
/// `EINVAL`, `ENOMEM`.
pub fn wait_for_events(set: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<()> {
    // Rounded up, because the caller would repeat a wait that was too short.
    let milliseconds =
        timeout.map_or(-1, |timeout| timeout.as_micros().div_ceil(1000).try_into().unwrap_or(c_int::MAX));
    // SAFETY: `set` is valid for its length.
    match check(unsafe { libc::poll(set.as_mut_ptr(), set.len() as libc::nfds_t, milliseconds) }) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        Ok(_) => Ok(()),
        Err(_) => {
            for entry in set {
                entry.revents = 0;
            }
            Ok(())
        }
    }
}
