//! Strings.

use std::ptr;

use napi::{Env, JsValue, Result, Status, Unknown, check_status, sys};

use super::unknown;

/// The bytes of the longest character, and the NUL that N-API adds. If at least this much of a buffer is left over, the
/// string was not cut.
const MARGIN: usize = 5;

/// Appends a string as UTF-8. Lone surrogates become U+FFFD.
///
/// # Errors
/// `Status::StringExpected`.
pub fn push_utf8(env: &Env, value: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    /// Enough bytes for most messages, whose length then need not be determined first.
    const USUAL: usize = 1024;
    let start = out.len();
    out.reserve(USUAL);
    let mut written = write_utf8(env, value, out)?;
    let room = out.capacity() - start;
    if written + MARGIN > room {
        let mut length = 0;
        // SAFETY: without a buffer it only determines the length.
        check_status!(unsafe {
            sys::napi_get_value_string_utf8(env.raw(), value.raw(), ptr::null_mut(), 0, &raw mut length)
        })?;
        out.reserve(length + MARGIN);
        written = write_utf8(env, value, out)?;
    }
    // SAFETY: this many bytes of the spare capacity have been written.
    unsafe { out.set_len(start + written) };
    Ok(())
}

/// Writes as much of the string as fits into the spare capacity of `out`. Returns the number of bytes written.
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

/// A string as UTF-8, lone surrogates as U+FFFD. `None` if the value is not a string.
///
/// # Errors
/// An N-API failure.
pub fn utf8(env: &Env, value: &Unknown) -> Result<Option<String>> {
    /// Enough bytes for most strings, which then are read into the stack.
    const USUAL: usize = 128;
    let mut bytes = [0_u8; USUAL];
    let mut written = 0;
    // SAFETY: `bytes` is valid for writing.
    let status = unsafe {
        let buffer = bytes.as_mut_ptr().cast();
        sys::napi_get_value_string_utf8(env.raw(), value.raw(), buffer, USUAL, &raw mut written)
    };
    if status == sys::Status::napi_string_expected {
        return Ok(None);
    }
    check_status!(status)?;
    if written + MARGIN <= USUAL {
        return Ok(bytes.get(..written).map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
    }
    let mut text = vec![];
    push_utf8(env, value, &mut text)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// The UTF-16 units of a string.
///
/// # Errors
/// `Status::StringExpected`.
pub fn utf16(env: &Env, value: &Unknown) -> Result<Vec<u16>> {
    let mut length = 0;
    // SAFETY: without a buffer it only determines the length.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(env.raw(), value.raw(), ptr::null_mut(), 0, &raw mut length)
    })?;
    // One more for the NUL that N-API adds.
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

/// A string from UTF-8. Invalid bytes become U+FFFD.
///
/// # Errors
/// `Status::InvalidArg` if it is longer than the engine's longest string.
pub fn string<'a>(env: &'a Env, text: &[u8]) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    let length = isize::try_from(text.len()).map_err(|_| napi::Error::from_status(Status::InvalidArg))?;
    // ASCII is faster as Latin-1.
    let create = if text.is_ascii() { sys::napi_create_string_latin1 } else { sys::napi_create_string_utf8 };
    // SAFETY: `text` is valid for its length.
    check_status!(unsafe { create(env.raw(), text.as_ptr().cast(), length, &raw mut value) })?;
    Ok(unknown(env, value))
}

/// A part of a string for [`concat()`].
pub enum Piece<'a> {
    Text(&'a str),
    /// Converted to a JavaScript string, which need not be valid Unicode.
    Value(Unknown<'a>),
}

/// Joins the pieces to one string.
///
/// # Errors
/// What a `toString` throws.
pub fn concat<'a>(env: &'a Env, pieces: &[Piece]) -> Result<Unknown<'a>> {
    let mut units = vec![];
    for piece in pieces {
        match piece {
            Piece::Text(text) => units.extend(text.encode_utf16()),
            Piece::Value(value) => units.extend(utf16(env, &value.coerce_to_string()?.to_unknown())?),
        }
    }
    Ok(env.create_string_utf16(&units)?.to_unknown())
}

/// An Error.
///
/// # Errors
/// An N-API failure.
pub fn error<'a>(env: &'a Env, message: &Unknown) -> Result<Unknown<'a>> {
    let mut value = ptr::null_mut();
    // SAFETY: a value of the current handle scope; null means that the error has no code.
    check_status!(unsafe {
        sys::napi_create_error(env.raw(), ptr::null_mut(), message.raw(), &raw mut value)
    })?;
    Ok(unknown(env, value))
}
