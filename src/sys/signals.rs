//! The signal mask of this thread.

use nix::sys::signal::{SigSet, SigmaskHow};

/// Blocks all signals on this thread until it is dropped, so that no signal handler of the parent runs in a child
/// that still shares its memory.
pub struct SignalsBlocked {
    previous: Option<SigSet>,
}

impl SignalsBlocked {
    #[must_use]
    pub fn new() -> Self {
        Self { previous: SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).ok() }
    }
}

impl Default for SignalsBlocked {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        if let Some(previous) = self.previous {
            // Fails only for an unknown operation.
            let _ = previous.thread_set_mask();
        }
    }
}
