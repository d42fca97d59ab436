//! Panics, which are bugs in this package or in a library. They must not unwind into C, so they are caught where C
//! calls into Rust, and become JavaScript errors.

use std::panic::{self, AssertUnwindSafe};

use napi::{Env, Error, JsError, Result, sys};

/// Runs `body` and catches a panic.
///
/// # Errors
/// An error with the message of the panic.
pub fn caught<T>(body: impl FnOnce() -> T) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(body)).map_err(|panic| {
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panicked");
        Error::from_reason(format!("child-process-rs: a bug: {message}"))
    })
}

/// Runs `body` for a callback of the event loop. A panic goes to `uncaughtException`.
pub fn contain<T>(env: sys::napi_env, body: impl FnOnce() -> T) -> Option<T> {
    let report = |error| {
        let env = Env::from_raw(env);
        super::with_scope(&env, || {
            let error = JsError::from(error).into_unknown(env);
            // Fails only while the environment shuts down.
            let _ = super::throw_uncaught(&env, &error);
        });
    };
    caught(body).map_err(report).ok()
}

#[cfg(test)]
mod tests;
