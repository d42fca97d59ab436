//! Reaps children whose owner is gone before they exit, for example those of a terminated Worker.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libc::pid_t;
use tokio::io::Interest;

use crate::background;
use crate::backoff::Backoff;
use crate::sys;

/// Children that nothing waits for, because no thread could be started.
static UNWATCHED: Mutex<Vec<pid_t>> = Mutex::new(vec![]);

fn unwatched() -> MutexGuard<'static, Vec<pid_t>> {
    UNWATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes over the child `pid`, with its pidfd if it has one.
pub(super) fn adopt(pid: pid_t, fd: Option<Arc<OwnedFd>>) {
    match background::runtime() {
        Ok(runtime) => drop(runtime.spawn(reap_at_end(pid, fd))),
        Err(_) => unwatched().push(pid),
    }
}

/// Reaps the [`UNWATCHED`] children that have exited.
pub(super) fn reap_ended() {
    unwatched().retain(|pid| is_running(*pid));
}

fn is_running(pid: pid_t) -> bool {
    matches!(sys::reap(pid, false), Ok(None))
}

async fn reap_at_end(pid: pid_t, fd: Option<Arc<OwnedFd>>) {
    if let Some(Ok(watched)) = fd.map(|fd| sys::watched(fd, Interest::READABLE)) {
        // The result does not matter: the loop below checks.
        let _ = watched.readable().await.map(|mut guard| guard.retain_ready());
    }
    let mut backoff = Backoff::default();
    while is_running(pid) {
        tokio::time::sleep(backoff.next_wait()).await;
    }
}

#[cfg(test)]
mod tests;
