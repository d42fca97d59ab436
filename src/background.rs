//! tokio, for what is better off the event loop: one runtime on one thread for the whole program, started
//! when first needed. The thread belongs to no environment.

use std::future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};

/// The runtime.
///
/// # Errors
/// `EAGAIN` where no thread can be started, `EMFILE`, `ENFILE`, `ENOMEM`; the next call tries again.
pub fn runtime() -> io::Result<Handle> {
    static STARTED: Mutex<Option<Handle>> = Mutex::new(None);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("child-process".into())
        .spawn(move || runtime.block_on(future::pending::<()>()))?;
    Ok(started.insert(handle).clone())
}

/// From so many bytes on it takes milliseconds to give memory back, bytes.
pub const LARGE: usize = 4 << 20;

/// Drops memory of `length` bytes, where they are many, not while the event loop waits.
pub fn give_back<T: Send + 'static>(memory: T, length: usize) {
    if length >= LARGE
        && let Ok(runtime) = runtime()
    {
        runtime.spawn(async move { drop(memory) });
    }
}
