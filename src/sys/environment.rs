//! The environment of this process, as it would pass it on.

use std::ffi::CStr;

use libc::c_char;

/// Whether the C library leaves the old string of an environment variable where it is when the variable is
/// set anew.
pub const KEEPS_OLD_ENVIRONMENT: bool = cfg!(target_env = "gnu");

unsafe extern "C" {
    #[link_name = "environ"]
    static mut ENVIRON: *const *const c_char;
}

/// Visits each `NAME=value` of the environment that this process would pass on by itself.
pub fn for_each_env(mut visit: impl FnMut(&CStr)) {
    // SAFETY: reading the pointer; who writes it is said below.
    let mut entry = unsafe { ENVIRON };
    if entry.is_null() {
        return;
    }
    // SAFETY: `environ` is a NULL-terminated array of NUL-terminated strings. Node writes to it on this, the
    // main thread only (a Worker has a copy of process.env of its own and never comes here).
    unsafe {
        while !(*entry).is_null() {
            visit(CStr::from_ptr(*entry));
            entry = entry.add(1);
        }
    }
}
