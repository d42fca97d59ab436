//! Errnos and signal numbers for `lib/`.

use std::ffi::CStr;

use libc::{EACCES, EAGAIN, EINVAL, EMFILE, ENFILE, ENOENT, ENOSYS, ESRCH, SIGKILL};
use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, Result};
use napi_derive::napi;

const NUMBERS: &[(&CStr, i32)] = &[
    (c"EACCES", EACCES),
    (c"EAGAIN", EAGAIN),
    (c"EINVAL", EINVAL),
    (c"EMFILE", EMFILE),
    (c"ENFILE", ENFILE),
    (c"ENOENT", ENOENT),
    (c"ENOSYS", ENOSYS),
    (c"ESRCH", ESRCH),
    (c"SIGKILL", SIGKILL),
];

/// Errnos and signals by their names.
#[napi(catch_unwind, ts_return_type = "Record<string, number>")]
pub fn numbers(env: &Env) -> Result<Object<'_>> {
    let mut numbers = Object::new(env)?;
    for (name, number) in NUMBERS {
        numbers.set_c_named_property(name, number)?;
    }
    Ok(numbers)
}
