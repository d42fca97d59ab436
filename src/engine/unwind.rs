//! Panics: a bug of ours, or of a library's. They end where C calls into Rust, as an error of JavaScript's.

use std::panic::{self, AssertUnwindSafe};

use napi::{Env, Error, JsError, Result, sys};

/// Runs `body`; a panic of it is an error.
///
/// # Errors
/// One that says what the panic said.
pub fn caught<T>(body: impl FnOnce() -> T) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(body)).map_err(|panic| {
        let said = panic.downcast_ref::<&str>().copied();
        let said = said.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panicked");
        Error::from_reason(format!("child-process-rs: a bug: {said}"))
    })
}

/// Runs `body` for the event loop; a panic of it goes to `uncaughtException`.
pub fn contain<T>(env: sys::napi_env, body: impl FnOnce() -> T) -> Option<T> {
    let tell = |error| {
        let env = Env::from_raw(env);
        super::with_scope(&env, || {
            let error = JsError::from(error).into_unknown(env);
            // It fails where the environment is going away, with nobody left to be told.
            let _ = super::throw_uncaught(&env, &error);
        });
    };
    caught(body).map_err(tell).ok()
}

#[cfg(test)]
mod tests;
