//! The system calls of a child between clone and exec. The child shares the parent thread's thread-local storage, and
//! with it libc's `errno`. So these calls bypass libc.

#![expect(clippy::missing_errors_doc, reason = "the manual page of each call names them")]

use std::ptr;

use libc::{c_char, c_int};
use syscalls::{Errno, Sysno, syscall};

mod open;
pub use open::for_each_open;

/// The errno of a failed system call.
pub type Failure = i32;

/// The size of the kernel's `sigset_t`, bytes.
const SIGSET: usize = 8;
/// Large enough for `struct kernel_sigaction` on every architecture; all zero is `SIG_DFL`.
const SIGACTION_WORDS: usize = 8;
/// The last standard signal; the builtin resets these too. Real-time signals follow.
const LAST_STANDARD: c_int = 31;
const LAST_REAL_TIME: c_int = 64;

fn failure(error: Errno) -> Failure {
    error.into_raw()
}

/// `setsid(2)`.
pub fn new_session() {
    // SAFETY: no arguments.
    let _ = unsafe { syscall!(Sysno::setsid) };
}

/// Duplicates `fd` to a number of at least `least`, close-on-exec.
pub fn duplicate_above(fd: c_int, least: c_int) -> Result<c_int, Failure> {
    // SAFETY: plain integers.
    unsafe { syscall!(Sysno::fcntl, fd, libc::F_DUPFD_CLOEXEC, least) }.map(|fd| fd as c_int).map_err(failure)
}

/// Makes `target` a copy of `source` that stays open at exec.
pub fn place(source: c_int, target: c_int) -> Result<(), Failure> {
    // SAFETY: plain integers.
    unsafe {
        if source == target {
            syscall!(Sysno::fcntl, source, libc::F_SETFD, 0)
        } else {
            syscall!(Sysno::dup3, source, target, 0)
        }
    }
    .map(drop)
    .map_err(failure)
}

/// Clears `O_NONBLOCK`.
pub fn make_blocking(fd: c_int) {
    // SAFETY: plain integers.
    unsafe {
        if let Ok(flags) = syscall!(Sysno::fcntl, fd, libc::F_GETFL) {
            let flags = flags as c_int;
            if flags & libc::O_NONBLOCK != 0 {
                let _ = syscall!(Sysno::fcntl, fd, libc::F_SETFL, flags & !libc::O_NONBLOCK);
            }
        }
    }
}

/// Opens the null device as descriptor `target`.
pub fn place_null(target: c_int) -> Result<(), Failure> {
    let mode = if target == 0 { libc::O_RDONLY } else { libc::O_RDWR };
    // SAFETY: the path is a NUL-terminated constant.
    let fd = unsafe { syscall!(Sysno::openat, libc::AT_FDCWD, c"/dev/null".as_ptr(), mode, 0) }
        .map_err(failure)? as c_int;
    if fd != target {
        place(fd, target)?;
        close(fd);
    }
    Ok(())
}

/// `close(2)`.
pub fn close(fd: c_int) {
    // SAFETY: the child's own descriptor table.
    let _ = unsafe { syscall!(Sysno::close, fd) };
}

/// Marks the descriptors from `first` to `last` close-on-exec.
pub fn close_at_exec(first: c_int, last: c_int) {
    // SAFETY: plain integers.
    let marked = unsafe { syscall!(Sysno::close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) };
    // The flag exists since Linux 5.11, and a sandbox may refuse the call.
    if marked.is_err() {
        for_each_open(first, last, |fd| {
            // SAFETY: plain integers.
            let _ = unsafe { syscall!(Sysno::fcntl, fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        });
    }
}

/// `chdir(2)`.
///
/// # Safety
/// `path` is NUL-terminated.
pub unsafe fn change_directory(path: *const c_char) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    unsafe { syscall!(Sysno::chdir, path) }.map(drop).map_err(failure)
}

/// Drops the supplementary groups, if this process has the privilege.
pub fn drop_groups() {
    // SAFETY: an empty list.
    let _ = unsafe { syscall!(Sysno::setgroups, 0, ptr::null::<u32>()) };
}

/// `setgid(2)`.
pub fn set_group(id: u32) -> Result<(), Failure> {
    // SAFETY: a plain integer.
    unsafe { syscall!(Sysno::setgid, id) }.map(drop).map_err(failure)
}

/// `setuid(2)`.
pub fn set_user(id: u32) -> Result<(), Failure> {
    // SAFETY: a plain integer.
    unsafe { syscall!(Sysno::setuid, id) }.map(drop).map_err(failure)
}

/// Resets the standard signals, and real-time signals that have a handler, to their default action; then unblocks all
/// signals.
pub fn reset_signals() {
    let default = [0u64; SIGACTION_WORDS];
    for signal in 1..=LAST_REAL_TIME {
        if signal > LAST_STANDARD && !is_caught(signal) {
            continue;
        }
        // SAFETY: `default` is a valid kernel sigaction. KILL and STOP are refused, which is fine.
        let _ =
            unsafe { syscall!(Sysno::rt_sigaction, signal, default.as_ptr(), ptr::null::<u64>(), SIGSET) };
    }
    let none = 0u64;
    // SAFETY: `none` is an empty kernel sigset.
    let _ = unsafe {
        syscall!(Sysno::rt_sigprocmask, libc::SIG_SETMASK, &raw const none, ptr::null::<u64>(), SIGSET)
    };
}

fn is_caught(signal: c_int) -> bool {
    let mut current = [0u64; SIGACTION_WORDS];
    // SAFETY: `current` has room for a kernel sigaction, whose first word is the handler.
    let read =
        unsafe { syscall!(Sysno::rt_sigaction, signal, ptr::null::<u64>(), current.as_mut_ptr(), SIGSET) };
    let [handler, ..] = current;
    read.is_ok() && handler != libc::SIG_DFL as u64 && handler != libc::SIG_IGN as u64
}

/// `execve(2)`. Returns only on failure, with the errno.
///
/// # Safety
/// The path is NUL-terminated; both arrays are NULL-terminated arrays of NUL-terminated strings.
#[must_use]
pub unsafe fn execute(
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> Failure {
    // SAFETY: the caller's promise.
    match unsafe { syscall!(Sysno::execve, path, argv, envp) } {
        Ok(_) => 0,
        Err(error) => failure(error),
    }
}

/// Writes at most `PIPE_BUF` bytes to a pipe, which is atomic.
pub fn report(fd: c_int, bytes: &[u8]) {
    // SAFETY: the slice is valid for its length.
    let _ = unsafe { syscall!(Sysno::write, fd, bytes.as_ptr(), bytes.len()) };
}

/// `exit_group(2)`: ends the child without running any of the parent's exit handlers.
pub fn exit(code: c_int) -> ! {
    loop {
        // SAFETY: ends this process.
        let _ = unsafe { syscall!(Sysno::exit_group, code) };
    }
}
