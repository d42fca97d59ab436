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

/// Makes `target` refer to the open file of `fd`, sets it to non-blocking mode, and closes `fd` (`dup2(2)`). Throws if it cannot.
#[napi(catch_unwind)]
pub fn replace_fd(target: RawFd, fd: RawFd) -> Result<()> {
    sys::adopt(fd)
        .and_then(|fd| sys::replace(target, &fd))
        .map_err(|error| Error::from_reason(error.to_string()))
}
