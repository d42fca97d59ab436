//! JavaScript functions that call Rust closures.

use std::ffi::{CStr, c_void};
use std::ptr;

use napi::{Env, JsValue, Result, Unknown, check_status, sys};

use super::{caught, unknown};

/// The arguments of a call of a native function.
pub struct Call<'a, const N: usize> {
    pub this: Unknown<'a>,
    /// Missing arguments are `undefined`.
    pub arguments: [Unknown<'a>; N],
    /// How many arguments were given.
    pub count: usize,
}

/// Creates a JavaScript function that calls `body`. A call costs a third of a call through napi-rs, but creating the
/// function takes microseconds. The result `None` means `undefined`, the cheapest result.
///
/// # Errors
/// An N-API failure.
pub fn function<const N: usize, F>(env: &Env, body: F) -> Result<Unknown<'_>>
where
    F: Fn(&Env, &Call<N>) -> Result<Option<bool>> + 'static,
{
    let data = Box::into_raw(Box::new(body));
    let mut function = ptr::null_mut();
    // SAFETY: `data` lives until `release` is called, once, when the function is garbage-collected.
    unsafe {
        let name: &CStr = c"";
        let made = check_status!(sys::napi_create_function(
            env.raw(),
            name.as_ptr(),
            0,
            Some(enter::<N, F>),
            data.cast(),
            &raw mut function
        ))
        .and_then(|()| {
            check_status!(sys::napi_add_finalizer(
                env.raw(),
                function,
                data.cast(),
                Some(release::<F>),
                ptr::null_mut(),
                ptr::null_mut()
            ))
        });
        if let Err(error) = made {
            drop(Box::from_raw(data));
            return Err(error);
        }
    }
    Ok(unknown(env, function))
}

unsafe extern "C" fn release<F>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the box that `function` made, freed once.
    let body = unsafe { Box::from_raw(data.cast::<F>()) };
    // A panic cannot be reported to JavaScript here. Its message is on stderr already.
    let _ = caught(|| drop(body));
}

unsafe extern "C" fn enter<const N: usize, F: Fn(&Env, &Call<N>) -> Result<Option<bool>>>(
    raw: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let env = Env::from_raw(raw);
    let answered = caught(|| {
        let (call, data) = Call::of(&env, info)?;
        // SAFETY: the box that `function` made, alive as long as the function is.
        let body = unsafe { &*data.cast::<F>() };
        match body(&env, &call)? {
            Some(answer) => super::boolean(&env, answer).map(Some),
            None => Ok(None),
        }
    });
    answer(raw, answered.unwrap_or_else(Err))
}

impl<'a, const N: usize> Call<'a, N> {
    /// Reads the arguments of a call. Also returns the data with which the function was created.
    pub(super) fn of(env: &'a Env, info: sys::napi_callback_info) -> Result<(Self, *mut c_void)> {
        let mut count = N;
        let mut arguments = [ptr::null_mut(); N];
        let mut this = ptr::null_mut();
        let mut data = ptr::null_mut();
        // SAFETY: `arguments` has room for `count`, which missing ones fill with `undefined`.
        check_status!(unsafe {
            sys::napi_get_cb_info(
                env.raw(),
                info,
                &raw mut count,
                arguments.as_mut_ptr(),
                &raw mut this,
                &raw mut data,
            )
        })?;
        let arguments = arguments.map(|value| unknown(env, value));
        Ok((Self { this: unknown(env, this), arguments, count }, data))
    }
}

/// Converts the result of a native function for N-API: a value or `undefined`; an error is thrown.
pub(super) fn answer(raw: sys::napi_env, answer: Result<Option<Unknown>>) -> sys::napi_value {
    match answer {
        Ok(value) => value.map_or(ptr::null_mut(), |value| value.raw()),
        Err(error) => {
            // SAFETY: on the environment's thread, in a call from JavaScript.
            unsafe { napi::JsError::from(error).throw_into(raw) };
            ptr::null_mut()
        }
    }
}
