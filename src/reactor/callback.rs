//! Calls from the event loop into JavaScript, made in the same way as Node's own: in the async context of the call
//! that requested them (so that `AsyncLocalStorage` works), with microtasks and next ticks run afterwards, and
//! exceptions passed to `uncaughtException`.

use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;

use napi::bindgen_prelude::JsValue;
use napi::{Env, Result, Unknown, ValueType, check_status, sys};

use crate::engine::{self, Held};

thread_local! {
    /// Whether the exception that is being thrown has been reported already, by [`report_uncaught`].
    static IS_REPORTED: Cell<bool> = const { Cell::new(false) };
}

/// Passes an exception to `uncaughtException` that a function called by a [`Callback`] is about to throw. At this
/// point its async context is still the current one; when N-API would report the exception, it no longer is.
///
/// # Errors
/// An N-API failure.
pub fn report_uncaught(env: &Env, error: &Unknown) -> Result<()> {
    engine::throw_uncaught(env, error)?;
    IS_REPORTED.set(true);
    Ok(())
}

/// A JavaScript object on which functions will be called later.
pub struct Callback {
    env: sys::napi_env,
    receiver: sys::napi_ref,
    context: sys::napi_async_context,
}

impl Callback {
    /// Holds a strong reference to `receiver`, and the async context that is current now, with the resource type
    /// `name`.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn new<'a>(env: &Env, receiver: &impl JsValue<'a>, name: &str) -> Result<Self> {
        let mut callback = Self::without_context(env, receiver)?;
        let name = env.create_string(name)?;
        // SAFETY: values of this scope; the result goes into `callback`, whose drop releases it.
        unsafe {
            check_status!(sys::napi_async_init(
                env.raw(),
                receiver.raw(),
                name.raw(),
                &raw mut callback.context
            ))?;
        }
        Ok(callback)
    }

    /// Holds a strong reference to `receiver` only. Functions called on it must enter their async context themselves.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn without_context<'a>(env: &Env, receiver: &impl JsValue<'a>) -> Result<Self> {
        let mut callback = Self { env: env.raw(), receiver: ptr::null_mut(), context: ptr::null_mut() };
        // SAFETY: a value of this scope; the result goes into `callback`, whose drop releases it.
        unsafe {
            check_status!(sys::napi_create_reference(
                env.raw(),
                receiver.raw(),
                1,
                &raw mut callback.receiver
            ))?;
        }
        Ok(callback)
    }

    /// Calls the method `name` of the receiver if it has one; returns whether it has. A JavaScript exception goes to
    /// `uncaughtException`.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn call(&self, name: &CStr, arguments: &[Unknown]) -> Result<bool> {
        let env = Env::from_raw(self.env);
        let receiver = self.receiver(&env)?;
        let method = engine::property(&env, &receiver, name)?;
        self.call_function(&method, arguments)
    }

    /// Calls `function` on the receiver if it is a function; returns whether it is.
    ///
    /// # Errors
    /// As with `call`.
    pub fn call_function(&self, function: &Unknown, arguments: &[Unknown]) -> Result<bool> {
        if engine::kind(function)? != ValueType::Function {
            return Ok(false);
        }
        let arguments: Vec<_> = arguments.iter().map(JsValue::raw).collect();
        self.make_callback(function.raw(), &arguments).map(|_| true)
    }

    /// The receiver.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn receiver<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        let mut receiver = ptr::null_mut();
        // SAFETY: the reference is held, and `env` is the one it was made in.
        unsafe {
            check_status!(sys::napi_get_reference_value(self.env, self.receiver, &raw mut receiver))?;
            Ok(Unknown::from_raw_unchecked(env.raw(), receiver))
        }
    }

    /// Calls a function on the receiver. Returns the function's result if that is a boolean, otherwise `true`, also
    /// if it throws.
    pub fn call_held<const N: usize>(
        &self,
        env: &Env,
        function: &Held,
        arguments: [&Unknown; N],
    ) -> Result<bool> {
        let result = self.make_callback(function.get(env)?.raw(), &arguments.map(JsValue::raw))?;
        let mut is_true = true;
        if let Some(result) = result {
            // SAFETY: a value of the scope that is open; anything but a boolean leaves `is_true` alone.
            let status = unsafe { sys::napi_get_value_bool(self.env, result, &raw mut is_true) };
            is_true &= status == sys::Status::napi_ok;
        }
        Ok(is_true)
    }

    /// Returns the function's result; `None` if it throws.
    fn make_callback(
        &self,
        function: sys::napi_value,
        arguments: &[sys::napi_value],
    ) -> Result<Option<sys::napi_value>> {
        // SAFETY: on the thread of the environment, inside the scope that `with_scope` opened.
        unsafe {
            let mut receiver = ptr::null_mut();
            check_status!(sys::napi_get_reference_value(self.env, self.receiver, &raw mut receiver))?;
            let mut result = ptr::null_mut();
            let status = sys::napi_make_callback(
                self.env,
                self.context,
                receiver,
                function,
                arguments.len(),
                arguments.as_ptr(),
                &raw mut result,
            );
            if status == sys::Status::napi_pending_exception {
                let mut exception = ptr::null_mut();
                check_status!(sys::napi_get_and_clear_last_exception(self.env, &raw mut exception))?;
                // If it has been reported, only the flag needs to be reset.
                if !IS_REPORTED.take() {
                    check_status!(sys::napi_fatal_exception(self.env, exception))?;
                }
                return Ok(None);
            }
            check_status!(status)?;
            Ok(Some(result))
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: made by `new`, on this thread, and released once.
        unsafe {
            if !self.context.is_null() {
                sys::napi_async_destroy(self.env, self.context);
            }
            if !self.receiver.is_null() {
                sys::napi_delete_reference(self.env, self.receiver);
            }
        }
    }
}
