//! Creates children that share this process's memory until they exec.

#[cfg(target_env = "musl")]
use std::arch::asm;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use libc::{c_int, c_void, pid_t};

#[cfg(target_env = "gnu")]
use super::check;

/// The function that a child runs.
type Entry = extern "C" fn(*mut c_void) -> c_int;

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
    run: Entry,
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
    let pid = unsafe { clone(run, stack_top, flags, argument, &raw mut process, occupied.as_ptr()) }?;
    // SAFETY: if it is not -1, it is a new descriptor. A kernel that does not know the flag has left -1.
    let process = (process != -1).then(|| unsafe { OwnedFd::from_raw_fd(process) });
    Ok(Cloned { pid, process })
}

/// `clone(2)`. With musl this makes the system call itself, because musl's function refuses `CLONE_CHILD_CLEARTID`. The
/// child could ask for that (`set_tid_address(2)`), but `child` would stay set if the child were killed before it does.
///
/// # Safety
/// As [`clone_sharing_memory`]; `process` and `child` are what the flags write to.
unsafe fn clone(
    run: Entry,
    stack_top: *mut c_void,
    flags: c_int,
    argument: *mut c_void,
    process: *mut RawFd,
    child: *mut i32,
) -> io::Result<pid_t> {
    #[cfg(target_env = "gnu")]
    {
        let thread = ptr::null_mut::<c_void>();
        // SAFETY: the caller's promises.
        check(unsafe { libc::clone(run, stack_top, flags, argument, process, thread, child) })
    }
    #[cfg(target_env = "musl")]
    {
        let mut result = libc::SYS_clone as isize;
        // SAFETY: the kernel keeps all registers but those named as outputs. The child, which gets 0, has a stack of
        // its own and does not return from `run`; the caller promises the rest.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            asm!(
                "syscall",
                "test rax, rax",
                "jnz 2f",
                "mov rdi, {argument}",
                "call {run}",
                "ud2",
                "2:",
                run = in(reg) run,
                argument = in(reg) argument,
                inlateout("rax") result,
                in("rdi") flags as isize,
                in("rsi") stack_top,
                in("rdx") process,
                in("r10") child,
                in("r8") 0_isize,
                out("rcx") _,
                out("r11") _,
            );
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            asm!(
                "svc #0",
                "cbnz x0, 2f",
                "mov x0, {argument}",
                "blr {run}",
                "brk #1",
                "2:",
                run = in(reg) run,
                argument = in(reg) argument,
                in("x8") result,
                inlateout("x0") flags as isize => result,
                in("x1") stack_top,
                in("x2") process,
                in("x3") 0_isize,
                in("x4") child,
            );
        }
        if result < 0 { Err(io::Error::from_raw_os_error(-result as c_int)) } else { Ok(result as pid_t) }
    }
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
