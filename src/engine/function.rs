//! JavaScript functions that call Rust closures.

use std::ffi::{CStr, c_void};
use std::ptr;

use napi::{Env, Result, Unknown, check_status, sys};

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
    let mut count = N;
    let mut arguments = [ptr::null_mut(); N];
    let mut this = ptr::null_mut();
    let mut data = ptr::null_mut();
    // SAFETY: `arguments` has room for `count` values, and N-API fills the missing ones with `undefined`; `data` is
    // the box that `function` made, which lives as long as the function.
    let (body, call) = unsafe {
        let status = sys::napi_get_cb_info(
            raw,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            &raw mut this,
            &raw mut data,
        );
        if status != sys::Status::napi_ok {
            return ptr::null_mut();
        }
        let arguments = arguments.map(|value| unknown(&env, value));
        (&*data.cast::<F>(), Call { this: unknown(&env, this), arguments, count })
    };
    match caught(|| body(&env, &call)).unwrap_or_else(Err) {
        Ok(None) => ptr::null_mut(),
        Ok(Some(answer)) => {
            let mut value = ptr::null_mut();
            // SAFETY: it writes the result. If it fails, the result stays null, which means `undefined`.
            unsafe { sys::napi_get_boolean(raw, answer, &raw mut value) };
            value
        }
        Err(error) => {
            // SAFETY: on the environment's thread, in a call from JavaScript.
            unsafe { napi::JsError::from(error).throw_into(raw) };
            ptr::null_mut()
        }
    }
}
