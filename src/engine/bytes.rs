//! Buffers and ArrayBuffers.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr;

use napi::{Env, JsValue, Result, Unknown, check_status, sys};

use super::{caught, property, unknown};
use crate::background;

/// A Buffer with these bytes of its own.
///
/// # Errors
/// Out of memory.
pub fn buffer<'a>(env: &'a Env, bytes: &[u8]) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    // SAFETY: `bytes` is valid for its length; the copy's address isn't asked for.
    check_status!(unsafe {
        sys::napi_create_buffer_copy(
            env.raw(),
            bytes.len(),
            bytes.as_ptr().cast(),
            ptr::null_mut(),
            &raw mut value,
        )
    })?;
    Ok(unknown(env, value))
}

/// Bytes that a Buffer or an ArrayBuffer takes over; they stay where they are until it is collected.
///
/// # Safety
/// [`Content::place`] must give the same address and length until the content is dropped, all of it initialised, and nobody
/// else may touch it.
pub unsafe trait Content {
    /// Where the bytes are, and how many.
    fn place(&mut self) -> (*mut c_void, usize);
}

/// A part of a buffer.
pub struct Part {
    pub buffer: Vec<u8>,
    pub range: Range<usize>,
}

// SAFETY: the vector is owned and never grows; the range is checked.
unsafe impl Content for Part {
    fn place(&mut self) -> (*mut c_void, usize) {
        let part = self.buffer.get_mut(self.range.clone()).unwrap_or_default();
        (part.as_mut_ptr().cast(), part.len())
    }
}

/// What [`adopt_bytes`] makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    Buffer,
    ArrayBuffer,
}

/// Bytes of their own in place of the engine's; copied where the engine allows no others.
///
/// # Errors
/// Out of memory.
pub fn adopt_bytes<T: Content + Send + 'static>(
    env: &Env,
    content: T,
    wrapper: Wrapper,
) -> Result<Unknown<'_>> {
    let mut content = Box::new(content);
    let (address, length) = content.place();
    let content = Box::into_raw(content);
    let mut value = ptr::null_mut();
    // SAFETY: the bytes live until `free` is called, once, when the value is collected; `Content` promises the rest.
    unsafe {
        let (data, hint): (_, *mut c_void) = (address, content.cast());
        let status = match wrapper {
            Wrapper::Buffer => sys::napi_create_external_buffer(
                env.raw(),
                length,
                data,
                Some(free_content::<T>),
                hint,
                &raw mut value,
            ),
            Wrapper::ArrayBuffer => sys::napi_create_external_arraybuffer(
                env.raw(),
                data,
                length,
                Some(free_content::<T>),
                hint,
                &raw mut value,
            ),
        };
        if status == sys::Status::napi_ok {
            return Ok(unknown(env, value));
        }
        let bytes = std::slice::from_raw_parts(address.cast(), length);
        let copied = buffer(env, bytes);
        drop(Box::from_raw(content));
        if wrapper == Wrapper::ArrayBuffer { property(env, &copied?, c"buffer") } else { copied }
    }
}

unsafe extern "C" fn free_content<T: Content + Send + 'static>(
    _env: sys::napi_env,
    _data: *mut c_void,
    hint: *mut c_void,
) {
    // SAFETY: the box that `adopt_bytes` made, given back once.
    let mut content = unsafe { Box::from_raw(hint.cast::<T>()) };
    // Nobody is there to be told of a panic, which has said on standard error what it had to.
    let _ = caught(|| {
        let (_, length) = content.place();
        background::give_back(content, length);
    });
}

/// The same for an ArrayBuffer.
pub fn with_array_buffer<T>(env: &Env, value: &Unknown, use_bytes: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut data = ptr::null_mut();
    let mut length = 0;
    // SAFETY: N-API checks the kind; the bytes live as long as the value, and nothing that could detach them runs meanwhile.
    unsafe {
        let status = sys::napi_get_arraybuffer_info(env.raw(), value.raw(), &raw mut data, &raw mut length);
        if status != sys::Status::napi_ok {
            return None;
        }
        let bytes = if data.is_null() { &[][..] } else { std::slice::from_raw_parts(data.cast(), length) };
        Some(use_bytes(bytes))
    }
}

/// Runs `use_bytes` on the bytes of a Buffer or another view, which must not run JavaScript; `None`: it is none.
pub fn with_bytes<T>(env: &Env, value: &Unknown, use_bytes: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut is_buffer = false;
    let mut data = ptr::null_mut();
    let mut length = 0;
    // SAFETY: N-API checks the kind first; the bytes live as long as the value, and nothing that could detach them runs
    // meanwhile.
    unsafe {
        let status = sys::napi_is_buffer(env.raw(), value.raw(), &raw mut is_buffer);
        if status != sys::Status::napi_ok || !is_buffer {
            return None;
        }
        let status = sys::napi_get_buffer_info(env.raw(), value.raw(), &raw mut data, &raw mut length);
        if status != sys::Status::napi_ok {
            return None;
        }
        let bytes = if data.is_null() { &[][..] } else { std::slice::from_raw_parts(data.cast(), length) };
        Some(use_bytes(bytes))
    }
}
