//! The environment of a child.

use std::ffi::CStr;
use std::ptr;

use libc::c_char;

use super::Strings;
use crate::sys;

/// A NULL-terminated array of `NAME=value` strings.
#[derive(Debug)]
pub(super) struct Environment {
    pointers: Vec<*const c_char>,
    /// The strings that the pointers point to, unless these are in this process's own environment.
    _strings: Option<Strings>,
}

impl Environment {
    pub fn given(strings: Strings) -> Self {
        Self { pointers: strings.pointers(), _strings: Some(strings) }
    }

    /// This process's current environment. The child may still read it when this process changes a variable. glibc
    /// never frees the old string, so pointers to the strings suffice; other C libraries may free it, so the strings
    /// are copied.
    pub fn inherited() -> Self {
        if !sys::KEEPS_OLD_ENVIRONMENT {
            let mut strings = Strings::new();
            sys::for_each_env(|entry| strings.push(entry.to_bytes()));
            return Self::given(strings);
        }
        let mut pointers = Vec::with_capacity(64);
        sys::for_each_env(|entry| pointers.push(entry.as_ptr()));
        pointers.push(ptr::null());
        Self { pointers, _strings: None }
    }

    /// The value of the first entry for `name`, as `getenv(3)` finds it.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.pointers.iter().take_while(|pointer| !pointer.is_null()).find_map(|pointer| {
            // SAFETY: each pointer is to a NUL-terminated string that lives as long as this.
            let entry = unsafe { CStr::from_ptr(*pointer) };
            entry.to_bytes().strip_prefix(name)?.strip_prefix(b"=")
        })
    }

    pub fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}
