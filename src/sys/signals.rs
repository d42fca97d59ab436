//! The signals of this thread.

/// All signals blocked on this thread until dropped, so that no handler of the parent runs in a child that
/// still shares its memory.
pub struct SignalsBlocked {
    previous: libc::sigset_t,
}

impl SignalsBlocked {
    #[must_use]
    pub fn new() -> Self {
        let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        let mut previous = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: both sets are valid for writing; pthread_sigmask cannot fail with SIG_SETMASK and valid
        // pointers.
        let previous = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), previous.as_mut_ptr());
            previous.assume_init()
        };
        Self { previous }
    }
}

impl Default for SignalsBlocked {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: `previous` was filled by pthread_sigmask.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.previous, std::ptr::null_mut()) };
    }
}
