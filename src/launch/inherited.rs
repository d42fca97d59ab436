//! Descriptors that this process itself inherited in order to pass them on: a make jobserver, systemd's sockets,
//! `<(…)` of a shell.
//!
//! A child inherits them, as the builtin's children do. It does not inherit descriptors that libraries of this
//! process open later without close-on-exec.

use std::os::fd::RawFd;
use std::sync::OnceLock;

use crate::sys;

static INHERITED: OnceLock<Vec<RawFd>> = OnceLock::new();

/// Records these descriptors, once. Must be called early.
pub fn note() {
    INHERITED.get_or_init(|| {
        let mut inherited = vec![];
        sys::child::for_each_open(3, RawFd::MAX, |fd| {
            if sys::is_inheritable(fd) {
                inherited.push(fd);
            }
        });
        inherited.sort_unstable();
        inherited
    });
}

/// The recorded descriptors, in ascending order.
pub(super) fn list() -> &'static [RawFd] {
    INHERITED.get().map_or(&[], Vec::as_slice)
}
