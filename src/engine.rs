//! What the channel asks of the engine for every message, in the cheapest form N-API has: no allocation, no intermediate
//! string, no lookup by name. Everything else goes through napi-rs.

use std::ffi::{CStr, c_void};
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::ptr;
use std::rc::Rc;

use napi::{Env, JsValue, Result, Status, Unknown, ValueType, check_status, sys};

use crate::sys::Mapping;

/// A value of JavaScript that is kept until this is dropped.
pub struct Held {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Held {
    /// Keeps `value`.
    ///
    /// # Errors
    /// An N-API failure: the value is no object.
    pub fn new<'a>(env: &Env, value: &impl JsValue<'a>) -> Result<Self> {
        let mut reference = ptr::null_mut();
        // SAFETY: a value of this scope; drop releases the reference.
        check_status!(unsafe { sys::napi_create_reference(env.raw(), value.raw(), 1, &raw mut reference) })?;
        Ok(Self { env: env.raw(), reference })
    }

    /// The value, for as long as the scope.
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
    // SAFETY: every caller has just got `value` from N-API, in the scope that is open.
    unsafe { Unknown::from_raw_unchecked(env.raw(), value) }
}

/// The type of `value`.
///
/// # Errors
/// An N-API failure.
pub fn kind(env: &Env, value: &Unknown) -> Result<ValueType> {
    let mut kind = 0;
    // SAFETY: a value of the scope that is open.
    check_status!(unsafe { sys::napi_typeof(env.raw(), value.raw(), &raw mut kind) })?;
    Ok(kind.into())
}

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
    drop(unsafe { Box::from_raw(data.cast::<Rc<T>>()) });
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
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| callable.call(&env, arguments)));
    let outcome =
        outcome.unwrap_or_else(|_| Err(napi::Error::from_reason("child-process-rs: a bug: panicked")));
    match outcome {
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

/// Calls `function`, with an undefined `this`.
///
/// # Errors
/// `Status::PendingException`: JavaScript threw, and goes on throwing when the native function returns.
pub fn call<'a>(env: &'a Env, function: &Held, argument: &Unknown) -> Result<Unknown<'a>> {
    let function = function.get(env)?;
    let mut result = ptr::null_mut();
    // SAFETY: values of the scope that is open.
    unsafe {
        let mut receiver = ptr::null_mut();
        check_status!(sys::napi_get_undefined(env.raw(), &raw mut receiver))?;
        check_status!(sys::napi_call_function(
            env.raw(),
            receiver,
            function.raw(),
            1,
            &argument.raw(),
            &raw mut result
        ))?;
    }
    Ok(unknown(env, result))
}

/// Hands an error to `uncaughtException`, as if nobody on the stack had caught it.
///
/// # Errors
/// An N-API failure.
pub fn throw_uncaught(env: &Env, error: &Unknown) -> Result<()> {
    // SAFETY: a value of the scope that is open.
    check_status!(unsafe { sys::napi_fatal_exception(env.raw(), error.raw()) })
}

/// Takes the exception that a call has left.
#[must_use]
pub fn take_exception(env: &Env) -> Option<Unknown<'_>> {
    let mut exception = ptr::null_mut();
    // SAFETY: it writes the result, or says that it has none.
    let status = unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &raw mut exception) };
    (status == sys::Status::napi_ok).then(|| unknown(env, exception))
}

/// Appends a string as UTF-8, lone surrogates as U+FFFD.
///
/// # Errors
/// `Status::StringExpected`.
pub fn push_utf8(env: &Env, value: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    /// Enough for most messages, so that they need not be measured first, bytes.
    const USUAL: usize = 1024;
    /// The longest character, and the NUL that N-API adds.
    const MARGIN: usize = 5;
    let start = out.len();
    out.reserve(USUAL);
    let mut written = write_utf8(env, value, out)?;
    let room = out.capacity() - start;
    if written + MARGIN > room {
        let mut length = 0;
        // SAFETY: without a buffer it measures.
        check_status!(unsafe {
            sys::napi_get_value_string_utf8(env.raw(), value.raw(), ptr::null_mut(), 0, &raw mut length)
        })?;
        out.reserve(length + MARGIN);
        written = write_utf8(env, value, out)?;
    }
    // SAFETY: so many bytes of the spare capacity have been written.
    unsafe { out.set_len(start + written) };
    Ok(())
}

/// Fills the spare capacity of `out`, as far as the string goes; gives how much was written.
fn write_utf8(env: &Env, value: &Unknown, out: &mut Vec<u8>) -> Result<usize> {
    let spare = out.spare_capacity_mut();
    let mut written = 0;
    // SAFETY: the spare capacity is valid for writing.
    check_status!(unsafe {
        sys::napi_get_value_string_utf8(
            env.raw(),
            value.raw(),
            spare.as_mut_ptr().cast(),
            spare.len(),
            &raw mut written,
        )
    })?;
    Ok(written)
}

/// The UTF-16 units of a string.
///
/// # Errors
/// `Status::StringExpected`.
pub fn utf16(env: &Env, value: &Unknown) -> Result<Vec<u16>> {
    let mut length = 0;
    // SAFETY: without a buffer it measures.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(env.raw(), value.raw(), ptr::null_mut(), 0, &raw mut length)
    })?;
    // And the NUL that N-API adds.
    let mut units = vec![0; length + 1];
    // SAFETY: `units` is valid for writing.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(
            env.raw(),
            value.raw(),
            units.as_mut_ptr(),
            units.len(),
            &raw mut length,
        )
    })?;
    units.truncate(length);
    Ok(units)
}

/// A string of UTF-8; what is not valid becomes U+FFFD.
///
/// # Errors
/// `Status::InvalidArg` where it is longer than the engine's strings can be.
pub fn string<'a>(env: &'a Env, text: &[u8]) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    let length = isize::try_from(text.len()).map_err(|_| napi::Error::from_status(Status::InvalidArg))?;
    // The engine takes ASCII over faster where it is told so.
    let create = if text.is_ascii() { sys::napi_create_string_latin1 } else { sys::napi_create_string_utf8 };
    // SAFETY: `text` is valid for its length.
    check_status!(unsafe { create(env.raw(), text.as_ptr().cast(), length, &raw mut value) })?;
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

/// The integer that a number is.
///
/// # Errors
/// `Status::NumberExpected`.
pub fn to_u32(env: &Env, value: &Unknown) -> Result<u32> {
    let mut number = 0;
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_get_value_uint32(env.raw(), value.raw(), &raw mut number) })?;
    Ok(number)
}

/// The number that a value is.
///
/// # Errors
/// `Status::NumberExpected`.
pub fn to_f64(env: &Env, value: &Unknown) -> Result<f64> {
    let mut number = 0.0;
    // SAFETY: it writes the result.
    check_status!(unsafe { sys::napi_get_value_double(env.raw(), value.raw(), &raw mut number) })?;
    Ok(number)
}

/// The boolean that a value is.
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

/// How long an array is.
///
/// # Errors
/// `Status::ArrayExpected`.
pub fn length(env: &Env, array: &Unknown) -> Result<u32> {
    let mut length = 0;
    // SAFETY: a value of the scope that is open.
    check_status!(unsafe { sys::napi_get_array_length(env.raw(), array.raw(), &raw mut length) })?;
    Ok(length)
}

/// An array of one element.
///
/// # Errors
/// An N-API failure.
pub fn array_of<'a>(env: &'a Env, element: &Unknown) -> Result<Unknown<'a>> {
    let mut array = ptr::null_mut();
    // SAFETY: values of the scope that is open.
    unsafe {
        check_status!(sys::napi_create_array_with_length(env.raw(), 1, &raw mut array))?;
        check_status!(sys::napi_set_element(env.raw(), array, 0, element.raw()))?;
    }
    Ok(unknown(env, array))
}

/// Whether `value` is an instance of `class`.
///
/// # Errors
/// What `Symbol.hasInstance` throws.
pub fn is_instance(env: &Env, value: &Unknown, class: &Held) -> Result<bool> {
    let mut is_instance = false;
    // SAFETY: values of the scope that is open.
    check_status!(unsafe {
        sys::napi_instanceof(env.raw(), value.raw(), class.get(env)?.raw(), &raw mut is_instance)
    })?;
    Ok(is_instance)
}

/// A property of an object.
///
/// # Errors
/// What a getter throws.
pub fn property<'a>(env: &'a Env, object: &Unknown, name: &CStr) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    // SAFETY: `name` is NUL-terminated.
    check_status!(unsafe {
        sys::napi_get_named_property(env.raw(), object.raw(), name.as_ptr(), &raw mut value)
    })?;
    Ok(unknown(env, value))
}

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

// SAFETY: a mapping of this process alone, full of zeroes or of what was written there.
unsafe impl Content for Mapping {
    fn place(&mut self) -> (*mut c_void, usize) {
        (self.address(), self.length())
    }
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
pub fn adopt_bytes<T: Content + 'static>(env: &Env, content: T, wrapper: Wrapper) -> Result<Unknown<'_>> {
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

unsafe extern "C" fn free_content<T>(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: the box that `adopt_bytes` made, given back once.
    drop(unsafe { Box::from_raw(hint.cast::<T>()) });
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

/// Runs `body` with a handle scope open, so that values made in it do not outlive it.
pub fn with_scope<T>(env: &Env, body: impl FnOnce() -> T) -> Option<T> {
    let mut scope = ptr::null_mut();
    // SAFETY: opened and closed on the environment's thread, in order.
    unsafe {
        if sys::napi_open_handle_scope(env.raw(), &raw mut scope) != sys::Status::napi_ok {
            return None;
        }
        let result = body();
        sys::napi_close_handle_scope(env.raw(), scope);
        Some(result)
    }
}
