//! Descriptors that tokio watches.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdRegisterError};

/// A type that keeps the same descriptor open as long as it lives.
pub trait Owner: AsRawFd {}

impl Owner for OwnedFd {}
impl Owner for Arc<OwnedFd> {}

/// Registers a descriptor with tokio. Must be called inside its runtime.
///
/// # Errors
/// Returns the descriptor, with `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
pub fn watched<T: Owner>(fd: T, interest: Interest) -> Result<AsyncFd<T>, (T, io::Error)> {
    // SAFETY: `Owner` promises that the descriptor stays open until the AsyncFd, which deregisters it first, drops it.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(AsyncFdRegisterError::into_parts)
}
