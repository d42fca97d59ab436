//! Memory: of this process alone, and shared with another.

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

/// Memory of this process alone, given back when this is dropped (`munmap(2)`).
#[derive(Debug)]
pub struct Mapping {
    address: *mut c_void,
    length: usize,
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
pub struct Shared(Mapping);

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
        let copy = new_memory(length).ok()?;
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

/// Memory of `size` bytes that begins with `bytes`, which this process writes and the one that gets the
/// descriptor can only read (`memfd_create(2)`, `F_ADD_SEALS`).
///
/// # Errors
/// `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC`, `ENOSYS`; `EINVAL` before Linux 5.1.
pub fn shared_memory(bytes: &[u8], size: usize) -> io::Result<(Shared, OwnedFd)> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file = File::from(memfd_create(c"child-process-rs", flags)?);
    // Every page is there before it is written to through the mapping, where a lack of memory would be a
    // signal.
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

/// What [`shared_memory`] gave in another process, to be read.
///
/// # Errors
/// `EINVAL` where it isn't sealed, or smaller, or something else; `ENOMEM`.
pub fn map_shared(fd: OwnedFd, size: usize) -> io::Result<Shared> {
    let file = File::from(fd);
    let seals = SealFlag::from_bits_truncate(fcntl(&file, FcntlArg::F_GET_SEALS)?);
    let metadata = file.metadata()?;
    // What could shrink, or has no pages yet, would be a signal where it is read.
    let is_whole = metadata.len() >= size as u64 && metadata.blocks() * BLOCK >= size as u64;
    if !seals.contains(SEALS) || !is_whole || !is_tmpfs(&file) {
        return Err(Errno::EINVAL.into());
    }
    map(&file, size, libc::PROT_READ).map(Shared)
}

/// What `st_blocks` counts, bytes.
const BLOCK: u64 = 512;

/// Whether it is memory in pages of the usual size (`fstatfs(2)`).
fn is_tmpfs(file: &File) -> bool {
    fstatfs(file).is_ok_and(|info| info.filesystem_type() == TMPFS_MAGIC)
}

fn map(file: &File, length: usize, protection: c_int) -> io::Result<Mapping> {
    map_with(length, protection, libc::MAP_SHARED | libc::MAP_POPULATE, file.as_raw_fd())
}

/// New memory of this process alone, zeroed, in huge pages where the system has them (`MADV_HUGEPAGE`).
///
/// # Errors
/// `EINVAL` for no bytes at all, `ENOMEM`.
pub fn new_memory(length: usize) -> io::Result<Mapping> {
    let memory =
        map_with(length, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)?;
    // SAFETY: the whole of a mapping that nobody else knows. It is an advice, and may fail.
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
