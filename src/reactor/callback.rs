//! Calls from the loop into JavaScript, as Node makes its own: in the async context of the call that asked for them
//! (`AsyncLocalStorage` works), with microtasks and next ticks run afterwards, and what a listener throws handed to
//! `uncaughtException`.

use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;

use napi::bindgen_prelude::JsValue;
use napi::{Env, Result, Unknown, ValueType, check_status, sys};

use crate::engine::{self, Held};

thread_local! {
    /// Whether what the function threw has been told to `uncaughtException`, by [`tell`].
    static IS_TOLD: Cell<bool> = const { Cell::new(false) };
}

/// Tells `uncaughtException` of what a function that a [`Callback`] calls is about to throw, while its async context is still
/// the current one; N-API hands it over when it no longer is.
///
/// # Errors
/// An N-API failure.
pub fn tell(env: &Env, error: &Unknown) -> Result<()> {
    engine::throw_uncaught(env, error)?;
    IS_TOLD.set(true);
    Ok(())
}

/// An object that functions are to be called on later.
pub struct Callback {
    env: sys::napi_env,
    receiver: sys::napi_ref,
    context: sys::napi_async_context,
}

impl Callback {
    /// Holds `receiver` strongly, and the async context that is current now under the resource name `name`.
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

    /// Holds `receiver` strongly; what is called on it enters its async context itself.
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

    /// Calls the method `name` of the receiver, where it has one; says whether it has.
    ///
    /// # Errors
    /// An N-API failure; what JavaScript throws is not one, it goes to `uncaughtException`.
    pub fn call(&self, name: &CStr, arguments: &[Unknown]) -> Result<bool> {
        let env = Env::from_raw(self.env);
        let receiver = self.receiver(&env)?;
        let method = engine::property(&env, &receiver, name)?;
        self.call_function(&method, arguments)
    }

    /// Calls what is a function; says whether it is one.
    ///
    /// # Errors
    /// As with `call`.
    pub fn call_function(&self, function: &Unknown, arguments: &[Unknown]) -> Result<bool> {
        if engine::kind(&Env::from_raw(self.env), function)? != ValueType::Function {
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

    /// Calls a function that is held. Gives the boolean that it returns, and `true` where it throws.
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

    /// Gives what the function returns; nothing where it throws.
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
                // Otherwise it is a tick's.
                if !IS_TOLD.take() {
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
