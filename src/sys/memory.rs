//! Memory that the kernel gives in whole pages.

use std::ptr;

use libc::c_void;

/// Memory of this process alone, given back when this is dropped (`munmap(2)`).
#[derive(Debug)]
pub struct Mapping {
    pub(super) address: *mut c_void,
    pub(super) length: usize,
}

// SAFETY: plain memory; whoever holds it owns it.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference it is only read, unless by JavaScript, on one thread.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Where it begins, to be read and written.
    #[must_use]
    pub fn address(&self) -> *mut c_void {
        self.address
    }

    /// How long it is, bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// The bytes of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for its length, and this process's own.
        unsafe { std::slice::from_raw_parts(self.address.cast(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by this module, and given back once.
        unsafe { libc::munmap(self.address, self.length) };
    }
}

/// Memory that another process sees, too: what one writes the other reads. There is no reference to what is
/// in it, which may change at any time.
#[derive(Debug)]
pub struct Shared(pub(super) Mapping);

impl Shared {
    /// How large it is, bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.length
    }

    /// Writes `bytes` to its beginning. `None`: there is not so much room.
    pub fn write(&mut self, bytes: &[u8]) -> Option<()> {
        (bytes.len() <= self.size()).then_some(())?;
        // SAFETY: mapped for its size, by `shared_memory` to be written.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.address.cast(), bytes.len()) };
        Some(())
    }

    /// Copies its first `length` bytes. `None`: it has not so many.
    #[must_use]
    pub fn to_vec(&self, length: usize) -> Option<Vec<u8>> {
        (length <= self.size()).then_some(())?;
        let mut copy = Vec::with_capacity(length);
        // SAFETY: there is room for so many, and they are initialised then; see `copy_to`.
        unsafe {
            self.copy_to(copy.as_mut_ptr(), length);
            copy.set_len(length);
        }
        Some(copy)
    }

    /// The same into pages of its own. `None`, too: there is no memory.
    #[must_use]
    pub fn to_mapping(&self, length: usize) -> Option<Mapping> {
        (length <= self.size()).then_some(())?;
        let copy = super::new_memory(length).ok()?;
        // SAFETY: it is so long; see `copy_to`.
        unsafe { self.copy_to(copy.address.cast(), length) };
        Some(copy)
    }

    /// # Safety
    /// `room` is valid for `length` bytes, of which this has as many.
    unsafe fn copy_to(&self, room: *mut u8, length: usize) {
        // SAFETY: mapped for its size, and sealed against shrinking. Another process that changes it
        // meanwhile, against the protocol, decides what is copied, and nothing else.
        unsafe { ptr::copy_nonoverlapping(self.0.address.cast_const().cast(), room, length) };
    }
}
