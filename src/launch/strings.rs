//! NUL-terminated strings in one allocation, as exec needs them.

use std::ptr;

use libc::c_char;

/// A list of NUL-terminated strings.
#[derive(Debug, Default)]
pub struct Strings {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Strings {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a string. It ends at the first NUL, as for any C function.
    pub fn push(&mut self, string: &[u8]) {
        let string = string.split(|byte| *byte == 0).next().unwrap_or_default();
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(string);
        self.bytes.push(0);
    }

    /// The number of bytes of all strings, including terminators.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// A NULL-terminated array of pointers to the strings. It is valid while this list lives and nothing is added.
    pub(super) fn pointers(&self) -> Vec<*const c_char> {
        let start = |start: &usize| self.bytes.get(*start..).map_or(ptr::null(), <[u8]>::as_ptr).cast();
        self.starts.iter().map(start).chain([ptr::null()]).collect()
    }
}

impl<'a> FromIterator<&'a [u8]> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(strings: I) -> Self {
        let mut list = Self::new();
        for string in strings {
            list.push(string);
        }
        list
    }
}
