//! Descriptors: made, copied, taken over and asked about.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
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

/// Takes over a descriptor that somebody handed to this process, and closes it at exec.
///
/// # Errors
/// `EBADF` for a number that is no open descriptor.
pub fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain integers. It fails only for a descriptor that is not open.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, so it is not -1; the caller has been given it and knows of no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts `fd` in the place of `target`, whose number it gets; as a non-blocking one (`dup2(2)`).
///
/// # Errors
/// `EBUSY` where another thread opens something at the same number, `EMFILE`.
pub fn replace(target: RawFd, fd: &OwnedFd) -> io::Result<()> {
    // SAFETY: plain integers. Whoever owns the target goes on owning what is there.
    unsafe {
        check(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK))?;
        check(libc::dup2(fd.as_raw_fd(), target))?;
        check(libc::fcntl(target, libc::F_SETFD, libc::FD_CLOEXEC)).map(drop)
    }
}

/// Another descriptor of the same thing, close-on-exec (`fcntl(2)`, `F_DUPFD_CLOEXEC`).
///
/// # Errors
/// `EBADF`, `EMFILE`.
pub fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain integers; the result is a new descriptor that nobody else knows.
    unsafe { check(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3)).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// Whether `fd` is an open descriptor.
///
/// # Errors
/// `EBADF`.
pub fn check_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(drop)
}

/// Whether `fd` is open and kept at exec.
#[must_use]
pub fn is_inheritable(fd: RawFd) -> bool {
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).is_ok_and(|flags| flags & libc::FD_CLOEXEC == 0)
}

/// Waits until an entry of `set` is ready or `timeout` is over (`poll(2)`); `None` waits forever. An
/// interruption counts as nothing being ready.
///
/// # Errors
/// `EINVAL`, `ENOMEM`.
pub fn wait_for_events(set: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<()> {
    // Rounded up: a wait that ends too early would be repeated.
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

/// Whether `fd` is readable, or its other end gone, now.
#[must_use]
pub fn is_readable(fd: BorrowedFd) -> bool {
    let mut set = [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    wait_for_events(&mut set, Some(Duration::ZERO)).is_ok() && set.iter().all(|entry| entry.revents != 0)
}
