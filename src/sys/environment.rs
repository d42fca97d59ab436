//! The environment of this process.

use std::ffi::CStr;

use libc::c_char;

/// Whether the C library never frees the old string when an environment variable is set again.
pub const KEEPS_OLD_ENVIRONMENT: bool = cfg!(target_env = "gnu");

unsafe extern "C" {
    #[link_name = "environ"]
    static mut ENVIRON: *const *const c_char;
}

/// Visits each `NAME=value` string in the C variable `environ`.
pub fn for_each_env(mut visit: impl FnMut(&CStr)) {
    // SAFETY: reads a pointer; for who writes it, see below.
    let mut entry = unsafe { ENVIRON };
    if entry.is_null() {
        return;
    }
    // SAFETY: `environ` is a NULL-terminated array of NUL-terminated strings. Node writes to it only on the main
    // thread, which is this one: a Worker has its own copy of process.env and never calls this. (One with `SHARE_ENV`
    // has none, and must not write while the main thread starts a child.)
    unsafe {
        while !(*entry).is_null() {
            visit(CStr::from_ptr(*entry));
            entry = entry.add(1);
        }
    }
}
