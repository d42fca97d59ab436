//! Memory mappings: private ones, and ones shared with another process.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::ptr;

use libc::{c_int, c_void};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};

/// A memory mapping, unmapped when this is dropped (`munmap(2)`).
#[derive(Debug)]
pub struct Mapping {
    address: *mut c_void,
    length: usize,
}

// SAFETY: plain memory with a single owner.
unsafe impl Send for Mapping {}
// SAFETY: Rust only reads through a shared reference; JavaScript may write, but on one thread only.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Its address, for reading and writing.
    #[must_use]
    pub fn address(&self) -> *mut c_void {
        self.address
    }

    /// Its length, bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for its length, and not shared with another process.
        unsafe { std::slice::from_raw_parts(self.address.cast(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by this module, and unmapped once.
        unsafe { libc::munmap(self.address, self.length) };
    }
}

/// Memory that is shared with another process. Its content may change at any time, so this type gives out copies and
/// never references.
#[derive(Debug)]
pub struct Shared(Mapping);

impl Shared {
    /// Its size, bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.length
    }

    /// Copies `bytes` to its beginning. `None` if it is too small.
    pub fn write(&mut self, bytes: &[u8]) -> Option<()> {
        (bytes.len() <= self.size()).then_some(())?;
        // SAFETY: mapped for its size; only the result of `shared_memory`, which is writable, is used mutably.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.address.cast(), bytes.len()) };
        Some(())
    }

    /// Copies its first `length` bytes. `None` if it is too small.
    #[must_use]
    pub fn to_vec(&self, length: usize) -> Option<Vec<u8>> {
        (length <= self.size()).then_some(())?;
        let mut copy = Vec::with_capacity(length);
        // SAFETY: the capacity is sufficient, and `copy_to` initialises the bytes.
        unsafe {
            self.copy_to(copy.as_mut_ptr(), length);
            copy.set_len(length);
        }
        Some(copy)
    }

    /// Copies its first `length` bytes to a new mapping. `None` if it is too small, or there is no memory.
    #[must_use]
    pub fn to_mapping(&self, length: usize) -> Option<Mapping> {
        (length <= self.size()).then_some(())?;
        let copy = new_memory(length).ok()?;
        // SAFETY: the new mapping has this length; see `copy_to`.
        unsafe { self.copy_to(copy.address.cast(), length) };
        Some(copy)
    }

    /// # Safety
    /// `room` is valid for `length` bytes, and this memory has at least as many.
    unsafe fn copy_to(&self, room: *mut u8, length: usize) {
        // SAFETY: mapped for its size, and sealed against shrinking. If the other process violates the protocol and
        // writes meanwhile, that changes only which bytes are copied.
        unsafe { ptr::copy_nonoverlapping(self.0.address.cast_const().cast(), room, length) };
    }
}

/// Creates shared memory of `size` bytes that begins with `bytes`. This process can write it; a process that gets the
/// descriptor can only read it (`memfd_create(2)`, `F_ADD_SEALS`).
///
/// # Errors
/// `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC`, `ENOSYS`; `EINVAL` before Linux 5.1.
pub fn shared_memory(bytes: &[u8], size: usize) -> io::Result<(Shared, OwnedFd)> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file = File::from(memfd_create(c"child-process-rs", flags)?);
    // Allocates every page before it is written through the mapping: there, a lack of memory would be a SIGBUS.
    file.write_all(bytes)?;
    if size > bytes.len() {
        let (from, rest) = (bytes.len() as libc::off_t, (size - bytes.len()) as libc::off_t);
        fallocate(&file, FallocateFlags::empty(), from, rest)?;
    }
    let memory = map(&file, size, libc::PROT_READ | libc::PROT_WRITE)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(SEALS))?;
    Ok((Shared(memory), file.into()))
}

const SEALS: SealFlag = SealFlag::F_SEAL_SEAL
    .union(SealFlag::F_SEAL_SHRINK)
    .union(SealFlag::F_SEAL_GROW)
    .union(SealFlag::F_SEAL_FUTURE_WRITE);

/// Maps memory for reading that another process has created with [`shared_memory`].
///
/// # Errors
/// `EINVAL` if it is not sealed, is smaller than `size`, or is not such memory; `ENOMEM`.
pub fn map_shared(fd: OwnedFd, size: usize) -> io::Result<Shared> {
    let file = File::from(fd);
    let seals = SealFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GET_SEALS)?);
    let metadata = file.metadata()?;
    // Reading memory that has been shrunk, or whose pages cannot be allocated, would be a SIGBUS.
    let is_whole = metadata.len() >= size as u64 && metadata.blocks() * BLOCK >= size as u64;
    if !seals.contains(SEALS) || !is_whole || !is_tmpfs(&file) {
        return Err(Errno::EINVAL.into());
    }
    map(&file, size, libc::PROT_READ).map(Shared)
}

/// The unit of `st_blocks`, bytes.
const BLOCK: u64 = 512;

/// Whether the file is in memory, with pages of the normal size (`fstatfs(2)`).
fn is_tmpfs(file: &File) -> bool {
    fstatfs(file).is_ok_and(|info| info.filesystem_type() == TMPFS_MAGIC)
}

fn map(file: &File, length: usize, protection: c_int) -> io::Result<Mapping> {
    map_with(length, protection, libc::MAP_SHARED | libc::MAP_POPULATE, file.as_raw_fd())
}

/// A new private mapping, zeroed, in huge pages if the system has them (`MADV_HUGEPAGE`).
///
/// # Errors
/// `EINVAL` if `length` is 0, `ENOMEM`.
pub fn new_memory(length: usize) -> io::Result<Mapping> {
    let memory =
        map_with(length, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)?;
    // SAFETY: an unshared mapping, and its whole length. This is only advice, and may fail.
    unsafe { libc::madvise(memory.address, length, libc::MADV_HUGEPAGE) };
    Ok(memory)
}

fn map_with(length: usize, protection: c_int, flags: c_int, fd: RawFd) -> io::Result<Mapping> {
    // SAFETY: a new mapping at an address of the kernel's choice.
    let address = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, fd, 0) };
    if address == libc::MAP_FAILED {
        Err(io::Error::last_os_error())
    } else {
        Ok(Mapping { address, length })
    }
}
