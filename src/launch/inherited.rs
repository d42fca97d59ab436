//! Descriptors that this process itself inherited to pass on: a make jobserver, systemd's sockets, `<(…)` of
//! a shell.
//!
//! A child keeps them, as the builtin's children do; what other libraries of this process leave inheritable
//! later, it does not.

use std::os::fd::RawFd;
use std::sync::OnceLock;

use crate::sys;

static INHERITED: OnceLock<Vec<RawFd>> = OnceLock::new();

/// Notes them, once; to be called early.
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

/// Those that were noted, in order.
pub(super) fn list() -> &'static [RawFd] {
    INHERITED.get().map_or(&[], Vec::as_slice)
}
