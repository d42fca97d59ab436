//! The system calls of a forked child before its exec: async-signal-safe functions only.

use std::io;
use std::ptr;

use libc::{c_char, c_int};

/// The errno of a failed system call.
pub type Failure = i32;

fn check(result: c_int) -> Result<c_int, Failure> {
    if result == -1 {
        Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
    } else {
        Ok(result)
    }
}

/// `setsid(2)`.
pub fn new_session() {
    // SAFETY: no arguments.
    unsafe { libc::setsid() };
}

/// A close-on-exec copy of `fd` at `least` or above.
pub fn duplicate_above(fd: c_int, least: c_int) -> Result<c_int, Failure> {
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, least) })
}

/// Puts `source` at `target`, to be kept at exec.
pub fn place(source: c_int, target: c_int) -> Result<(), Failure> {
    // SAFETY: plain integers.
    check(unsafe {
        if source == target { libc::fcntl(source, libc::F_SETFD, 0) } else { libc::dup2(source, target) }
    })
    .map(drop)
}

/// Clears `O_NONBLOCK`.
pub fn make_blocking(fd: c_int) {
    // SAFETY: plain integers.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        if flags != -1 && flags & libc::O_NONBLOCK != 0 {
            libc::fcntl(fd, libc::F_SETFL, flags & !libc::O_NONBLOCK);
        }
    }
}

/// Opens the null device at `target`.
pub fn place_null(target: c_int) -> Result<(), Failure> {
    let mode = if target == 0 { libc::O_RDONLY } else { libc::O_RDWR };
    // SAFETY: the path is a NUL-terminated constant.
    let fd = check(unsafe { libc::open(c"/dev/null".as_ptr(), mode) })?;
    if fd != target {
        place(fd, target)?;
        close(fd);
    }
    Ok(())
}

/// `close(2)`.
pub fn close(fd: c_int) {
    // SAFETY: the child's own descriptor table.
    unsafe { libc::close(fd) };
}

/// Visits the open descriptors from `first` to `last`.
pub fn for_each_open(first: c_int, last: c_int, mut visit: impl FnMut(c_int)) {
    // SAFETY: no arguments.
    let end = unsafe { libc::getdtablesize() };
    for fd in first..=last.min(end) {
        // SAFETY: plain integers; a number that is not open is refused.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1 {
            visit(fd);
        }
    }
}

/// Marks the descriptors from `first` to `last` close-on-exec.
pub fn close_at_exec(first: c_int, last: c_int) {
    for_each_open(first, last, |fd| {
        // SAFETY: plain integers.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    });
}

/// `chdir(2)`.
///
/// # Safety
/// `path` is NUL-terminated.
pub unsafe fn change_directory(path: *const c_char) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    check(unsafe { libc::chdir(path) }).map(drop)
}

/// Drops the supplementary groups, where this process may.
pub fn drop_groups() {
    // SAFETY: an empty list.
    unsafe { libc::setgroups(0, ptr::null()) };
}

/// `setgid(2)`.
pub fn set_group(id: u32) -> Result<(), Failure> {
    // SAFETY: a plain integer.
    check(unsafe { libc::setgid(id) }).map(drop)
}

/// `setuid(2)`.
pub fn set_user(id: u32) -> Result<(), Failure> {
    // SAFETY: a plain integer.
    check(unsafe { libc::setuid(id) }).map(drop)
}

/// Gives every signal its default action; then unblocks all.
pub fn reset_signals() {
    const LAST: c_int = 31;
    // SAFETY: the default action; an empty set. KILL and STOP are refused, which is fine.
    unsafe {
        for signal in 1..=LAST {
            libc::signal(signal, libc::SIG_DFL);
        }
        let none: libc::sigset_t = 0;
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
}

/// `execve(2)`; returns only its errno.
///
/// # Safety
/// The path is NUL-terminated; both arrays are NULL-terminated arrays of NUL-terminated strings.
pub unsafe fn execute(
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> Failure {
    // SAFETY: the caller's promise.
    check(unsafe { libc::execve(path, argv, envp) }).err().unwrap_or_default()
}

/// Writes a report of at most `PIPE_BUF` bytes.
pub fn report(fd: c_int, bytes: &[u8]) {
    // SAFETY: the slice is valid for its length.
    unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
}

/// `_exit(2)`: ends the child without running anything of the parent's.
pub fn exit(code: c_int) -> ! {
    // SAFETY: ends this process.
    unsafe { libc::_exit(code) }
}
