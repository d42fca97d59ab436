//! File descriptors.
//!
//! ```ts
//! /** A file descriptor. */
//! export type RawFd = number;
//! ```

use std::os::fd::RawFd;

use napi::{Error, Result};
use napi_derive::napi;

use crate::sys;

/// Replaces the descriptor `target` by `fd`, which is closed (`dup2(2)`). The owner of `target` owns what replaces it.
///
/// Throws if that fails.
#[napi(catch_unwind)]
pub fn replace_fd(target: RawFd, fd: RawFd) -> Result<()> {
    sys::adopt(fd)
        .and_then(|fd| sys::replace(target, &fd))
        .map_err(|error| Error::from_reason(error.to_string()))
}
