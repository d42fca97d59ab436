//! Descriptors in tokio's set.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdRegisterError};

/// What keeps one and the same descriptor open for as long as it lives.
pub trait Owner: AsRawFd {}

impl Owner for OwnedFd {}
impl Owner for Arc<OwnedFd> {}

/// Has tokio watch a descriptor; to be called inside its runtime.
///
/// # Errors
/// The descriptor, with `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
pub fn watched<T: Owner>(fd: T, interest: Interest) -> Result<AsyncFd<T>, (T, io::Error)> {
    // SAFETY: `Owner` promises that the descriptor stays open until the AsyncFd drops it, out of the set by
    // then.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(AsyncFdRegisterError::into_parts)
}
