//! Linux.

use std::fs::File;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use libc::{c_char, c_int, c_void, pid_t};

use super::{Cloned, Exit, Mapping, Shared, check, clock, exit_of};

#[path = "linux_child.rs"]
pub mod child;

/// The signals that only this platform has.
pub const SIGNALS: &[(&str, i32)] =
    &[("SIGSTKFLT", libc::SIGSTKFLT), ("SIGPOLL", libc::SIGPOLL), ("SIGPWR", libc::SIGPWR)];
/// What `ru_maxrss` counts, bytes.
pub const MAX_RSS_UNIT: u64 = 1024;
/// Whether the C library leaves the old string of an environment variable where it is when the variable is
/// set anew.
pub const KEEPS_OLD_ENVIRONMENT: bool = cfg!(target_env = "gnu");

unsafe extern "C" {
    #[link_name = "environ"]
    static mut ENVIRON: *const *const c_char;
}

pub(super) fn environ() -> *const *const c_char {
    // SAFETY: reading the pointer; see `for_each_env` for who writes it.
    unsafe { ENVIRON }
}

/// A pair of connected stream sockets, close-on-exec and blocking.
///
/// # Errors
/// Those of `socketpair(2)`: `EMFILE`, `ENFILE`.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: `fds` has room for two descriptors.
    check(unsafe {
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0, fds.as_mut_ptr())
    })?;
    Ok(own_pair(fds))
}

/// A clock that is read in no time and turns every few milliseconds (`CLOCK_MONOTONIC_COARSE`), nanoseconds.
#[must_use]
pub fn coarse_time() -> u64 {
    clock(libc::CLOCK_MONOTONIC_COARSE)
}

/// How the channel reads: what is there now, descriptors close-on-exec (`recvmsg(2)`).
pub(super) const RECEIVE_FLAGS: c_int = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;

/// Memory of `size` bytes that begins with `bytes`, which this process writes and the one that gets the
/// descriptor can only read (`memfd_create(2)`, `F_ADD_SEALS`).
///
/// # Errors
/// `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC`, `ENOSYS`; `EINVAL` before Linux 5.1.
pub fn shared_memory(bytes: &[u8], size: usize) -> io::Result<(Shared, OwnedFd)> {
    // SAFETY: the name is NUL-terminated.
    let fd = check(unsafe {
        libc::memfd_create(c"child-process-rs".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)
    })?;
    // SAFETY: the kernel has just made it and nobody else knows it.
    let mut file = unsafe { File::from_raw_fd(fd) };
    // Every page is there before it is written to through the mapping, where a lack of memory would be a
    // signal.
    file.write_all(bytes)?;
    if size > bytes.len() {
        let (from, rest) = (bytes.len() as libc::off_t, (size - bytes.len()) as libc::off_t);
        // SAFETY: plain integers.
        check(unsafe { libc::fallocate(fd, 0, from, rest) })?;
    }
    let memory = map(&file, size, libc::PROT_READ | libc::PROT_WRITE)?;
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_ADD_SEALS, SEALS) })?;
    Ok((Shared(memory), file.into()))
}

const SEALS: c_int = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_FUTURE_WRITE;

/// What [`shared_memory`] gave in another process, to be read.
///
/// # Errors
/// `EINVAL` where it isn't sealed, or smaller, or something else; `ENOMEM`.
pub fn map_shared(fd: OwnedFd, size: usize) -> io::Result<Shared> {
    // SAFETY: plain integers.
    let seals = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GET_SEALS) })?;
    let file = File::from(fd);
    let metadata = file.metadata()?;
    // What could shrink, or has no pages yet, would be a signal where it is read.
    let is_whole = metadata.len() >= size as u64 && metadata.blocks() * BLOCK >= size as u64;
    if seals & SEALS != SEALS || !is_whole || !is_tmpfs(&file) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    map(&file, size, libc::PROT_READ).map(Shared)
}

/// What `st_blocks` counts, bytes.
const BLOCK: u64 = 512;

/// Whether it is memory in pages of the usual size (`fstatfs(2)`).
fn is_tmpfs(file: &File) -> bool {
    let mut info = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: there is room for the result, which is read only where it has been written.
    unsafe {
        libc::fstatfs(file.as_raw_fd(), info.as_mut_ptr()) == 0
            && info.assume_init().f_type == libc::TMPFS_MAGIC
    }
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
    let address = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, fd, 0) };
    if address == libc::MAP_FAILED {
        Err(io::Error::last_os_error())
    } else {
        Ok(Mapping { address, length })
    }
}

/// A close-on-exec pipe: (read end, write end).
///
/// # Errors
/// Those of `pipe2(2)`: `EMFILE`, `ENFILE`.
pub fn status_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: `fds` has room for two descriptors.
    check(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
    Ok(own_pair(fds))
}

fn own_pair([first, second]: [RawFd; 2]) -> (OwnedFd, OwnedFd) {
    // SAFETY: the kernel has just made both and nobody else knows them.
    unsafe { (OwnedFd::from_raw_fd(first), OwnedFd::from_raw_fd(second)) }
}

/// A descriptor of the unreaped child `pid` (`pidfd_open(2)`, Linux 5.3).
///
/// # Errors
/// `ENOSYS` on older kernels and in some sandboxes, `EMFILE`.
pub fn process_fd(pid: pid_t) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes plain integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Sends `signal` through a process descriptor (`pidfd_send_signal(2)`).
///
/// # Errors
/// `ESRCH`, `EPERM`, `EINVAL`.
pub fn kill_by_fd(process: BorrowedFd, signal: i32) -> io::Result<()> {
    // SAFETY: a valid descriptor, a signal number, no siginfo, no flags.
    let result = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, std::ptr::null::<c_void>(), 0)
    };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How a process ended that somebody else has reaped, where the kernel still knows (`ioctl_pidfd(2)`,
/// `PIDFD_GET_INFO`, Linux 6.15).
#[must_use]
pub fn exit_by_fd(process: BorrowedFd) -> Option<Exit> {
    /// `struct pidfd_info` as it was in its first version.
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        status: i32,
    }
    const PIDFD_INFO_EXIT: u64 = 1 << 3;
    const PIDFD_GET_INFO: libc::Ioctl = libc::_IOWR::<Info>(0xff, 11);
    let mut info = Info { mask: PIDFD_INFO_EXIT, ..Info::default() };
    // SAFETY: `info` is valid for as many bytes as the request says.
    let result = unsafe { libc::ioctl(process.as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
    (result == 0 && info.mask & PIDFD_INFO_EXIT != 0).then(|| exit_of(info.status))
}

/// Sleeps while `word` is 1, until the kernel clears it, or until `timeout` is over (`futex(2)`); may return
/// early. `None` sets no limit.
pub fn wait_while_set(word: &AtomicI32, timeout: Option<Duration>) {
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: `word` is valid, and so is the timeout where there is one.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, 1, timeout) };
}

fn timespec(time: Duration) -> libc::timespec {
    libc::timespec { tv_sec: time.as_secs() as libc::time_t, tv_nsec: time.subsec_nanos().into() }
}

/// Starts `run(argument)` in a child process that shares this one's memory until it execs or exits, and
/// returns at once (`clone(2)` with `CLONE_VM` and without `CLONE_VFORK`). The kernel zeroes `occupied` when
/// the child has left.
///
/// # Safety
/// All signals are blocked. `stack_top` is the 16-byte-aligned end of a writable stack that nobody else uses,
/// and it, `argument` with all that it refers to and `occupied` stay valid until the kernel has zeroed
/// `occupied`. `run` makes raw system calls only.
///
/// # Errors
/// `EAGAIN`, `ENOMEM`, `EMFILE`; `EPERM`, `ENOSYS`, `EINVAL` where a sandbox refuses.
pub unsafe fn clone_sharing_memory(
    run: extern "C" fn(*mut c_void) -> c_int,
    stack_top: *mut c_void,
    argument: *mut c_void,
    occupied: &AtomicI32,
    want_process_fd: bool,
) -> io::Result<Cloned> {
    let mut process: RawFd = -1;
    let mut flags = libc::CLONE_VM | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    if want_process_fd {
        flags |= libc::CLONE_PIDFD;
    }
    // SAFETY: the caller's promises; `process` takes the descriptor before clone returns.
    let pid = unsafe {
        libc::clone(
            run,
            stack_top,
            flags,
            argument,
            &raw mut process,
            std::ptr::null_mut::<c_void>(),
            occupied.as_ptr(),
        )
    };
    check(pid)?;
    // SAFETY: the kernel has put a fresh descriptor there; an older one has ignored the flag and left -1.
    let process = (process != -1).then(|| unsafe { OwnedFd::from_raw_fd(process) });
    Ok(Cloned { pid, process })
}
