//! Pidfds: descriptors that refer to one process, even if its pid is reused.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_void, pid_t};

use super::{Exit, exit_of};

/// Opens a pidfd for the unreaped child `pid` (`pidfd_open(2)`, Linux 5.3).
///
/// # Errors
/// `ENOSYS` on older kernels and in some sandboxes, `EMFILE`.
pub fn process_fd(pid: pid_t) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes plain integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor without another owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Sends `signal` through a pidfd (`pidfd_send_signal(2)`).
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

/// How a process ended that other code has reaped, if the kernel still knows (`ioctl_pidfd(2)`, `PIDFD_GET_INFO`,
/// Linux 6.15).
#[must_use]
pub fn exit_by_fd(process: BorrowedFd) -> Option<Exit> {
    /// The first version of `struct pidfd_info`.
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
    // SAFETY: `info` has the size that the request encodes.
    let result = unsafe { libc::ioctl(process.as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
    (result == 0 && info.mask & PIDFD_INFO_EXIT != 0).then(|| exit_of(info.status))
}
