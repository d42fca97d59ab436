//! Children that share the memory of this process until they exec.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use libc::{c_int, c_void, pid_t};

use super::check;

/// What [`clone_sharing_memory`] gives.
pub struct Cloned {
    pub pid: pid_t,
    /// The process's descriptor, where the kernel gave one.
    pub process: Option<OwnedFd>,
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
            ptr::null_mut::<c_void>(),
            occupied.as_ptr(),
        )
    };
    check(pid)?;
    // SAFETY: the kernel has put a fresh descriptor there; an older one has ignored the flag and left -1.
    let process = (process != -1).then(|| unsafe { OwnedFd::from_raw_fd(process) });
    Ok(Cloned { pid, process })
}

/// Sleeps while `word` is 1, until the kernel clears it, or until `timeout` is over (`futex(2)`); may return
/// early. `None` sets no limit.
pub fn wait_while_set(word: &AtomicI32, timeout: Option<Duration>) {
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `word` is valid, and so is the timeout where there is one.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, 1, timeout) };
}

fn timespec(time: Duration) -> libc::timespec {
    libc::timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos().into() }
}
