//! tokio, for what is better off the event loop. One runtime for the whole program, made when first needed; its threads
//! belong to no environment.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// How many commands may run off the loop at once; more wait for their turn.
const MOST_THREADS: usize = 8192;

/// The runtime; `None` where no thread can be started.
pub fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(MOST_THREADS)
                .enable_io()
                .thread_name("child-process")
                .build()
                .ok()
        })
        .as_ref()
}

/// Runs `work`, which may block, on a thread of tokio's pool. Gives it back where there is no pool.
///
/// # Errors
/// The work, not done.
pub fn spawn_blocking<F: FnOnce() + Send + 'static>(work: F) -> Result<(), F> {
    match runtime() {
        Some(runtime) => {
            runtime.spawn_blocking(work);
            Ok(())
        }
        None => Err(work),
    }
}

/// From so many bytes on it takes milliseconds to give memory back, bytes.
pub const LARGE: usize = 4 << 20;

/// Drops memory of `length` bytes, where they are many, not while the event loop waits.
pub fn give_back<T: Send + 'static>(memory: T, length: usize) {
    if length >= LARGE {
        // Without a thread it is dropped here.
        let _ = spawn_blocking(move || drop(memory));
    }
}
