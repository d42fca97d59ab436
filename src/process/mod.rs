//! A child process: its pid, sending it signals, waiting for its exit.
//!
//! The kernel does not reuse the pid of a child until that is reaped. Only this type reaps its child, by pid: it never
//! waits for «any» child, because libuv's children live in the same process. So our signals cannot reach another
//! process by mistake.

mod orphans;

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crate::sys::{self, Exit};

/// The last descriptors below `RLIMIT_NOFILE`, which are not used for pidfds, so that the program can still open files.
const RESERVED: u64 = 32;

/// How the exit of a child is detected. `CHILD_PROCESS_RS_REAPER` selects one for tests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    /// A pidfd from clone (`CLONE_PIDFD`).
    CloneFd,
    /// A pidfd from `pidfd_open(2)`.
    OpenFd,
    /// A thread that waits for it.
    Thread,
}

fn preferred_method() -> Method {
    static METHOD: OnceLock<Method> = OnceLock::new();
    *METHOD.get_or_init(|| match std::env::var("CHILD_PROCESS_RS_REAPER").as_deref() {
        Ok("thread") => Method::Thread,
        Ok("pidfd_open") => Method::OpenFd,
        _ => Method::CloneFd,
    })
}

static CLONES_WITHOUT_FD: AtomicBool = AtomicBool::new(false);

/// How a process ended; or the positive errno because of which that is unknown: `ECHILD` if other code has reaped it.
pub type Ending = Result<Exit, i32>;

/// A child of this process. If this is dropped before the child exits, the child is reaped in the background.
#[derive(Debug)]
pub struct Process {
    pid: libc::pid_t,
    fd: Option<Arc<OwnedFd>>,
    ending: Option<Ending>,
    usage: Usage,
}

/// The resources that a process has used (`getrusage(2)`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Time in user mode.
    pub user: Duration,
    /// Time in the kernel.
    pub system: Duration,
    /// The largest resident set, kilobytes.
    pub max_rss: u64,
}

impl From<libc::rusage> for Usage {
    fn from(usage: libc::rusage) -> Self {
        let time = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
        };
        let max_rss = usage.ru_maxrss.unsigned_abs();
        Self { user: time(usage.ru_utime), system: time(usage.ru_stime), max_rss }
    }
}

impl Process {
    /// Whether clone should be asked for a pidfd.
    pub(crate) fn wants_clone_fd() -> bool {
        preferred_method() == Method::CloneFd && !CLONES_WITHOUT_FD.load(Ordering::Relaxed)
    }

    /// Clone has failed with `CLONE_PIDFD` and succeeded without it: no longer asks for a pidfd.
    pub(crate) fn want_no_clone_fd() {
        CLONES_WITHOUT_FD.store(true, Ordering::Relaxed);
    }

    pub(crate) fn new(pid: libc::pid_t, fd: Option<OwnedFd>) -> Self {
        orphans::reap_ended();
        let fd = match preferred_method() {
            Method::Thread => None,
            Method::CloneFd | Method::OpenFd => fd.or_else(|| sys::process_fd(pid).ok()),
        };
        // With the builtin, children use no descriptors. So the last ones are left to the program, and a thread waits
        // for this child instead.
        let fd =
            fd.filter(|fd| u64::from(fd.as_raw_fd().unsigned_abs()) + RESERVED < sys::most_descriptors());
        Self { pid, fd: fd.map(Arc::new), ending: None, usage: Usage::default() }
    }

    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The pidfd, which becomes readable when the process exits. `None` if there is none; then use
    /// [`Process::watch_from_thread`].
    #[must_use]
    pub fn fd(&self) -> Option<RawFd> {
        self.fd.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Shared ownership of the pidfd.
    #[must_use]
    pub fn shared_fd(&self) -> Option<Arc<OwnedFd>> {
        self.fd.clone()
    }

    /// Starts a thread that calls `ended` when the process has exited. It does not reap the process.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn watch_from_thread(&self, ended: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let pid = self.pid;
        thread::Builder::new().name("child-process-wait".into()).stack_size(64 * 1024).spawn(move || {
            sys::wait_for_end(pid);
            ended();
        })?;
        Ok(())
    }

    /// Sends `signal`; 0 only checks whether the process exists (`kill(2)`).
    ///
    /// # Errors
    /// `ESRCH` if it has been reaped, `EPERM`, `EINVAL`.
    pub fn kill(&self, signal: i32) -> io::Result<()> {
        /// Whether a sandbox refuses to send signals through a pidfd, but permits it by pid.
        static IS_REFUSED: AtomicBool = AtomicBool::new(false);
        if self.ending.is_some() {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        let Some(fd) = self.fd.as_ref().filter(|_| !IS_REFUSED.load(Ordering::Relaxed)) else {
            return sys::kill(self.pid, signal);
        };
        match sys::kill_by_fd(fd.as_fd(), signal) {
            Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                sys::kill(self.pid, signal)?;
                IS_REFUSED.store(true, Ordering::Relaxed);
                Ok(())
            }
            sent => sent,
        }
    }

    /// Reaps the process if it has exited, and returns how it ended. `None` while it is running.
    pub fn try_wait(&mut self) -> Option<Ending> {
        self.wait(false);
        self.ending
    }

    /// Waits for the exit.
    ///
    /// # Errors
    /// `ECHILD`: other code has reaped it.
    pub fn wait_for_end(&mut self) -> Ending {
        self.wait(true);
        self.ending.unwrap_or(Err(libc::ECHILD))
    }

    /// Whether the process has exited. Does not reap it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ending.is_some() || sys::has_ended(self.pid)
    }

    fn wait(&mut self, blocks: bool) {
        if self.ending.is_some() {
            return;
        }
        match sys::reap(self.pid, blocks) {
            Ok(None) => {}
            Ok(Some((exit, usage))) => {
                self.ending = Some(Ok(exit));
                self.usage = usage.into();
            }
            // Other code has reaped it. The kernel may still know how it ended.
            Err(error) => {
                let exit = self.fd.as_ref().and_then(|fd| sys::exit_by_fd(fd.as_fd()));
                self.ending = Some(exit.ok_or(sys::errno(&error)));
            }
        }
    }

    /// The resources that the process has used. Zero until it has been reaped.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.try_wait().is_none() {
            orphans::adopt(self.pid, self.fd.take());
        }
    }
}

#[cfg(test)]
mod tests;
