//! The tokio runtime, for work off the event loop: one thread for the whole program, started when it is first needed.
//! The thread belongs to no JavaScript environment.

use std::future;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};

static STARTED: Mutex<Option<Handle>> = Mutex::new(None);

fn started() -> MutexGuard<'static, Option<Handle>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The runtime, started if necessary.
///
/// # Errors
/// `EAGAIN` if no thread can be started, `EMFILE`, `ENFILE`, `ENOMEM`. The next call tries again.
pub fn runtime() -> io::Result<Handle> {
    let mut started = started();
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name("child-process".into()).spawn(move || drive(runtime))?;
    Ok(started.insert(handle).clone())
}

/// Runs tasks as long as the process lives. If the runtime itself panics, its tasks are dropped, and the next call of
/// [`runtime`] starts a new one.
fn drive(runtime: Runtime) {
    let _ = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(future::pending::<()>())));
    *started() = None;
    drop(runtime);
}

/// Calls a function when it is dropped: at the end of a task, also if the task panics or is dropped.
pub struct AtEnd<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> AtEnd<F> {
    pub fn new(function: F) -> Self {
        Self(Some(function))
    }
}

impl<F: FnOnce()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        if let Some(function) = self.0.take() {
            function();
        }
    }
}

/// From this many bytes on, freeing memory takes milliseconds.
pub const LARGE: usize = 4 << 20;

/// Drops memory of `length` bytes; if that is much, on tokio's thread instead of the event loop.
pub fn give_back<T: Send + 'static>(memory: T, length: usize) {
    if length >= LARGE
        && let Ok(runtime) = runtime()
    {
        runtime.spawn(async move { drop(memory) });
    }
}

#[cfg(test)]
mod tests;
