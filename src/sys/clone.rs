//! Creates children that share this process's memory until they exec.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use libc::{c_int, c_void, pid_t};

use super::check;

/// The result of [`clone_sharing_memory`].
pub struct Cloned {
    pub pid: pid_t,
    /// The child's pidfd, if the kernel gave one.
    pub process: Option<OwnedFd>,
}

/// Starts `run(argument)` in a child process that shares this process's memory until it execs or exits, and returns
/// at once (`clone(2)` with `CLONE_VM` and without `CLONE_VFORK`). The kernel sets `occupied` to zero when the child
/// has left the memory.
///
/// # Safety
/// All signals are blocked. `stack_top` is the 16-byte-aligned upper end of a writable stack that nothing else uses.
/// The stack, `argument` with everything that it refers to, and `occupied` stay valid until `occupied` is zero. `run`
/// makes raw system calls only.
///
/// # Errors
/// `EAGAIN`, `ENOMEM`, `EMFILE`; `EPERM`, `ENOSYS`, `EINVAL` from a sandbox.
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
    // SAFETY: the caller's promises; the kernel writes the pidfd to `process` before clone returns.
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
    // SAFETY: if it is not -1, it is a new descriptor. A kernel that does not know the flag has left -1.
    let process = (process != -1).then(|| unsafe { OwnedFd::from_raw_fd(process) });
    Ok(Cloned { pid, process })
}

/// Sleeps while `word` is 1, until the kernel sets it to zero, but at most for `timeout` (`futex(2)`). `None` sets no
/// limit. May return early.
pub fn wait_while_set(word: &AtomicI32, timeout: Option<Duration>) {
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `word` is valid, and so is the timeout where there is one.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, 1, timeout) };
}

fn timespec(time: Duration) -> libc::timespec {
    libc::timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos().into() }
}
