//! Children: signals to them, and the wait for their end.

use std::io;

use libc::{c_int, pid_t};

use super::check;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The exit code; 0 when a signal ended the process.
    pub code: i32,
    /// The number of the signal that ended the process; 0 when it exited by itself.
    pub signal: i32,
}

/// Sends `signal` to an unreaped child (`kill(2)`).
///
/// # Errors
/// `EPERM`, `EINVAL`, `ESRCH`.
pub fn kill(pid: pid_t, signal: i32) -> io::Result<()> {
    // SAFETY: kill(2) takes plain integers.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Takes the status of the child `pid` (`wait4(2)`), restarting on signals; `None`: it still runs, and
/// `blocks` is false.
///
/// # Errors
/// `ECHILD` when it isn't ours to wait for.
pub fn reap(pid: pid_t, blocks: bool) -> io::Result<Option<(Exit, libc::rusage)>> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: `status` and `usage` are valid for writing.
        match check(unsafe {
            libc::wait4(pid, &raw mut status, if blocks { 0 } else { libc::WNOHANG }, usage.as_mut_ptr())
        }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(0) => return Ok(None),
            Ok(_) => break,
        }
    }
    // SAFETY: all zero is a valid rusage, and wait4 has filled it.
    Ok(Some((exit_of(status), unsafe { usage.assume_init() })))
}

/// What a status of `wait(2)` says.
pub(super) fn exit_of(status: c_int) -> Exit {
    if libc::WIFEXITED(status) {
        Exit { code: libc::WEXITSTATUS(status), signal: 0 }
    } else {
        Exit { code: 0, signal: libc::WTERMSIG(status) }
    }
}

/// Whether the child `pid` has ended, or is no child any more; the zombie stays (`waitid(2)`).
#[must_use]
pub fn has_ended(pid: pid_t) -> bool {
    // SAFETY: an all-zero siginfo_t is a valid one, and means that nothing has ended.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG;
    // SAFETY: `info` is valid for writing.
    let waited = check(unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, flags) });
    match waited {
        Ok(_) => info.si_signo != 0,
        Err(error) => error.kind() != io::ErrorKind::Interrupted,
    }
}

/// Waits for the end of the child `pid` and leaves the zombie (`waitid(2)`).
pub fn wait_for_end(pid: pid_t) {
    // SAFETY: an all-zero siginfo_t is a valid one.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: `info` is valid for writing.
        match check(unsafe {
            libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, libc::WEXITED | libc::WNOWAIT)
        }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}
