//! Descriptors as such.
//!
//! ```ts
//! /** A file descriptor. */
//! export type RawFd = number;
//! ```

use std::os::fd::RawFd;

use napi::{Error, Result};
use napi_derive::napi;

use crate::sys;

/// Puts `fd`, which it takes over, in the place of `target`, whose owner has it from now on.
///
/// Throws where it cannot (`dup2(2)`).
#[napi(catch_unwind)]
pub fn replace_fd(target: RawFd, fd: RawFd) -> Result<()> {
    sys::adopt(fd)
        .and_then(|fd| sys::replace(target, &fd))
        .map_err(|error| Error::from_reason(error.to_string()))
}
