//! Signals to children, and waiting for their exit.

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

/// Reaps the child `pid` (`wait4(2)`), repeating calls that a signal interrupts. `None`: `blocks` is false, and it is
/// still running.
///
/// # Errors
/// `ECHILD` if it is not an unreaped child of ours.
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

/// Decodes a status from `wait(2)`.
pub(super) fn exit_of(status: c_int) -> Exit {
    if libc::WIFEXITED(status) {
        Exit { code: libc::WEXITSTATUS(status), signal: 0 }
    } else {
        Exit { code: 0, signal: libc::WTERMSIG(status) }
    }
}

/// Whether the child `pid` has exited, or is no longer a child. Does not reap it (`waitid(2)`).
#[must_use]
pub fn has_ended(pid: pid_t) -> bool {
    // SAFETY: an all-zero siginfo_t is valid; it means that nothing has exited.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG;
    // SAFETY: `info` is valid for writing.
    let waited = check(unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut info, flags) });
    match waited {
        Ok(_) => info.si_signo != 0,
        Err(error) => error.kind() != io::ErrorKind::Interrupted,
    }
}

/// Waits for the exit of the child `pid`. Does not reap it (`waitid(2)`).
pub fn wait_for_end(pid: pid_t) {
    // SAFETY: an all-zero siginfo_t is valid.
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
