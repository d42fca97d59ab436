//! The signals of this thread.

use nix::sys::signal::{SigSet, SigmaskHow};

/// All signals blocked on this thread until dropped, so that no handler of the parent runs in a child that
/// still shares its memory.
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
            // It fails only for an unknown verb.
            let _ = previous.thread_set_mask();
        }
    }
}
