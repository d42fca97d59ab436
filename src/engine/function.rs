//! Functions of JavaScript that are native, for the one that must be called cheaply.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::{Env, Result, Unknown, check_status, sys};

use super::{caught, unknown};

/// A native function's work, for the one that must be called cheaply.
pub trait Callable {
    /// Called with two arguments; `None` is `undefined`, the cheapest result.
    ///
    /// # Errors
    /// What is to be thrown.
    fn call(&self, env: &Env, arguments: [Unknown; 2]) -> Result<Option<i32>>;
}

/// A function of JavaScript that calls `callable`: a third of the cost of one that napi-rs makes.
///
/// # Errors
/// An N-API failure.
pub fn function<T: Callable + 'static>(env: &Env, callable: Rc<T>) -> Result<Unknown<'_>> {
    let data = Box::into_raw(Box::new(callable));
    let mut function = ptr::null_mut();
    // SAFETY: `data` lives until `release`, which is called once, when the function is collected.
    unsafe {
        let made = check_status!(sys::napi_create_function(
            env.raw(),
            c"write".as_ptr(),
            -1,
            Some(enter::<T>),
            data.cast(),
            &raw mut function
        ))
        .and_then(|()| {
            check_status!(sys::napi_add_finalizer(
                env.raw(),
                function,
                data.cast(),
                Some(release::<T>),
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

unsafe extern "C" fn release<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the box that `function` made, given back once.
    let callable = unsafe { Box::from_raw(data.cast::<Rc<T>>()) };
    // Nobody is there to be told of a panic, which has said on standard error what it had to.
    let _ = caught(|| drop(callable));
}

unsafe extern "C" fn enter<T: Callable>(
    raw: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let env = Env::from_raw(raw);
    let mut count = 2;
    let mut arguments = [ptr::null_mut(); 2];
    let mut data = ptr::null_mut();
    // SAFETY: `arguments` has room for `count`, which missing ones fill with `undefined`; `data` is the box that `function`
    // made, alive as long as the function is.
    let (callable, arguments) = unsafe {
        let this = ptr::null_mut();
        let status =
            sys::napi_get_cb_info(raw, info, &raw mut count, arguments.as_mut_ptr(), this, &raw mut data);
        if status != sys::Status::napi_ok {
            return ptr::null_mut();
        }
        (&*data.cast::<Rc<T>>(), arguments.map(|value| unknown(&env, value)))
    };
    match caught(|| callable.call(&env, arguments)).unwrap_or_else(Err) {
        Ok(None) => ptr::null_mut(),
        Ok(Some(number)) => {
            let mut value = ptr::null_mut();
            // SAFETY: it writes the result; where it fails, the result stays null, which is `undefined`.
            unsafe { sys::napi_create_int32(raw, number, &raw mut value) };
            value
        }
        Err(error) => {
            // SAFETY: on the environment's thread, in a call from JavaScript.
            unsafe { napi::JsError::from(error).throw_into(raw) };
            ptr::null_mut()
        }
    }
}
