//! How children are started: with shared memory, or by fork if the system refuses that.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::sys;

/// `CHILD_PROCESS_RS_LAUNCHER` (`clone` or `fork`) chooses one for tests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// The child shares this process's memory until its exec.
    Clone,
    Fork,
}

/// The errno with which the system has refused the clone with shared memory; zero if it has not.
static REFUSAL: AtomicI32 = AtomicI32::new(0);

impl Method {
    pub fn preferred() -> Self {
        static METHOD: OnceLock<Method> = OnceLock::new();
        *METHOD.get_or_init(|| match std::env::var("CHILD_PROCESS_RS_LAUNCHER").as_deref() {
            Ok("fork") => Self::Fork,
            _ => Self::Clone,
        })
    }
}

pub(super) fn note_refusal(error: &io::Error) {
    REFUSAL.store(sys::errno(error), Ordering::Relaxed);
}

/// How children are started: `clone` or `fork`. A child that changes its user is always forked.
#[must_use]
pub fn launch_method() -> &'static str {
    let is_refused = REFUSAL.load(Ordering::Relaxed) != 0;
    if is_refused || Method::preferred() == Method::Fork { "fork" } else { "clone" }
}

/// The errno because of which children are forked. Returned only once, for a warning.
#[must_use]
pub fn take_refusal() -> Option<i32> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let errno = REFUSAL.load(Ordering::Relaxed);
    (errno != 0 && !TAKEN.swap(true, Ordering::Relaxed)).then_some(errno)
}
