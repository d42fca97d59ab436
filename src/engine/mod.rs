//! Thin wrappers of raw N-API calls, for everything that is done for every message or every call. They are cheaper
//! than napi-rs, because they avoid allocations, intermediate strings and lookups.

mod bytes;
mod class;
mod function;
mod object;
mod text;
mod unwind;

use std::ptr;

use napi::{Env, JsValue, Result, Status, Unknown, ValueType, check_status, sys};

pub use bytes::*;
pub use class::*;
pub use function::*;
pub use object::*;
pub use text::*;
pub use unwind::*;

/// A strong reference to a JavaScript object or function, released when this is dropped.
pub struct Held {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Held {
    /// Creates a reference to `value`.
    ///
    /// # Errors
    /// An N-API failure: the value is not an object.
    pub fn new<'a>(env: &Env, value: &impl JsValue<'a>) -> Result<Self> {
        let mut reference = ptr::null_mut();
        // SAFETY: a value of this scope; drop releases the reference.
        check_status!(unsafe { sys::napi_create_reference(env.raw(), value.raw(), 1, &raw mut reference) })?;
        Ok(Self { env: env.raw(), reference })
    }

    /// The value, in the current handle scope.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn get<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        let mut value = ptr::null_mut();
        // SAFETY: the reference is held, and `env` is the one it was made in.
        check_status!(unsafe { sys::napi_get_reference_value(env.raw(), self.reference, &raw mut value) })?;
        Ok(unknown(env, value))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: made by `new`, on this thread, and released once.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}

fn unknown(env: &Env, value: sys::napi_value) -> Unknown<'_> {
    // SAFETY: every caller has just got `value` from N-API, in the current handle scope.
    unsafe { Unknown::from_raw_unchecked(env.raw(), value) }
}

/// The type of `value`, as `typeof` gives it, except that null has a type of its own.
///
/// # Errors
/// An N-API failure.
pub fn kind(value: &Unknown) -> Result<ValueType> {
    value.get_type()
}

/// Calls `function`, with an undefined `this`.
///
/// # Errors
/// `Status::PendingException`: the function threw. The exception propagates when the native function returns.
pub fn call<'a, const N: usize>(
    env: &'a Env,
    function: &Held,
    arguments: [&Unknown; N],
) -> Result<Unknown<'a>> {
    let function = function.get(env)?;
    let arguments = arguments.map(JsValue::raw);
    let mut result = ptr::null_mut();
    // SAFETY: values of the current handle scope.
    unsafe {
        let mut receiver = ptr::null_mut();
        check_status!(sys::napi_get_undefined(env.raw(), &raw mut receiver))?;
        check_status!(sys::napi_call_function(
            env.raw(),
            receiver,
            function.raw(),
            N,
            arguments.as_ptr(),
            &raw mut result
        ))?;
    }
    Ok(unknown(env, result))
}

/// Passes an error to `uncaughtException`.
///
/// # Errors
/// An N-API failure.
pub fn throw_uncaught(env: &Env, error: &Unknown) -> Result<()> {
    // SAFETY: a value of the current handle scope.
    check_status!(unsafe { sys::napi_fatal_exception(env.raw(), error.raw()) })
}

/// Takes the pending exception, if there is one.
#[must_use]
pub fn take_exception(env: &Env) -> Option<Unknown<'_>> {
    let mut exception = ptr::null_mut();
    // SAFETY: it writes the result, or returns an error status.
    let status = unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &raw mut exception) };
    (status == sys::Status::napi_ok).then(|| unknown(env, exception))
}

/// The JavaScript error for `error`: the pending exception if there is one, otherwise a new one.
#[must_use]
pub fn thrown(env: &Env, error: napi::Error) -> Unknown<'_> {
    let pending = if error.status == Status::PendingException { take_exception(env) } else { None };
    pending.unwrap_or_else(|| napi::JsError::from(error).into_unknown(*env))
}

/// `undefined`.
///
/// # Errors
/// An N-API failure.
pub fn undefined(env: &Env) -> Result<Unknown<'_>> {
    let mut value = ptr::null_mut();
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_get_undefined(env.raw(), &raw mut value) })?;
    Ok(unknown(env, value))
}

/// A number.
///
/// # Errors
/// An N-API failure.
pub fn number(env: &Env, number: f64) -> Result<Unknown<'_>> {
    let mut value = ptr::null_mut();
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_create_double(env.raw(), number, &raw mut value) })?;
    Ok(unknown(env, value))
}

/// The value of a JavaScript number.
///
/// # Errors
/// `Status::NumberExpected`.
pub fn to_f64(env: &Env, value: &Unknown) -> Result<f64> {
    let mut number = 0.0;
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_get_value_double(env.raw(), value.raw(), &raw mut number) })?;
    Ok(number)
}

/// The value of a JavaScript boolean.
///
/// # Errors
/// `Status::BooleanExpected`.
pub fn to_bool(env: &Env, value: &Unknown) -> Result<bool> {
    let mut boolean = false;
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_get_value_bool(env.raw(), value.raw(), &raw mut boolean) })?;
    Ok(boolean)
}

/// A boolean.
///
/// # Errors
/// An N-API failure.
pub fn boolean(env: &Env, boolean: bool) -> Result<Unknown<'_>> {
    let mut value = ptr::null_mut();
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_get_boolean(env.raw(), boolean, &raw mut value) })?;
    Ok(unknown(env, value))
}

/// The length of an array.
///
/// # Errors
/// `Status::ArrayExpected`.
pub fn length(env: &Env, array: &Unknown) -> Result<u32> {
    let mut length = 0;
    // SAFETY: a value of the current handle scope.
    check_status!(unsafe { sys::napi_get_array_length(env.raw(), array.raw(), &raw mut length) })?;
    Ok(length)
}

/// The elements of an array.
///
/// # Errors
/// `Status::ArrayExpected`; what a getter throws.
pub fn elements<'a>(array: &Unknown<'a>) -> Result<Vec<Unknown<'a>>> {
    let env = array.value().env;
    let element = |index| {
        let mut element = ptr::null_mut();
        // SAFETY: a value of the scope that is open, and of its environment.
        unsafe {
            check_status!(sys::napi_get_element(env, array.raw(), index, &raw mut element))?;
            Ok(Unknown::from_raw_unchecked(env, element))
        }
    };
    (0..length(&Env::from_raw(env), array)?).map(element).collect()
}

/// An array.
///
/// # Errors
/// An N-API failure.
pub fn array<'a>(env: &'a Env, elements: &[Unknown]) -> Result<Unknown<'a>> {
    let mut array = ptr::null_mut();
    // SAFETY: values of the current handle scope.
    unsafe {
        check_status!(sys::napi_create_array_with_length(env.raw(), elements.len(), &raw mut array))?;
        for (index, element) in (0..).zip(elements) {
            check_status!(sys::napi_set_element(env.raw(), array, index, element.raw()))?;
        }
    }
    Ok(unknown(env, array))
}

/// Runs `body` in a new handle scope, which frees the values that are created in it.
pub fn with_scope<T>(env: &Env, body: impl FnOnce() -> T) -> Option<T> {
    let mut scope = Scope { env: env.raw(), scope: ptr::null_mut() };
    // SAFETY: opened here and closed by `scope`, on the environment's thread, in order.
    let status = unsafe { sys::napi_open_handle_scope(scope.env, &raw mut scope.scope) };
    (status == sys::Status::napi_ok).then(body)
}

/// An open handle scope; null if it could not be opened. It is also closed if a panic unwinds through it.
struct Scope {
    env: sys::napi_env,
    scope: sys::napi_handle_scope,
}

impl Drop for Scope {
    fn drop(&mut self) {
        if !self.scope.is_null() {
            // SAFETY: see `with_scope`.
            unsafe { sys::napi_close_handle_scope(self.env, self.scope) };
        }
    }
}
