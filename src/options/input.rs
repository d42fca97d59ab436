//! `options.input`, which is written to the standard input of a child, and the encoding of its outputs.

use napi::bindgen_prelude::{FnArgs, Function, JsObjectValue, JsValue};
use napi::{Error, Result, Unknown, ValueType};

use super::{Context, is_truthy, kind, option, text};
use crate::engine;

const EXPECTED: &str = "of type string or an instance of Buffer, TypedArray, or DataView";

/// The encodings that Node knows, in lower case.
const ENCODINGS: [&str; 12] = [
    "utf8",
    "utf-8",
    "hex",
    "base64",
    "base64url",
    "ascii",
    "latin1",
    "binary",
    "ucs2",
    "ucs-2",
    "utf16le",
    "utf-16le",
];

/// Whether `encoding` is one that Node knows, so that outputs become strings; `'buffer'` is not.
///
/// # Errors
/// An N-API failure.
pub fn is_encoding(encoding: &Unknown) -> Result<bool> {
    if kind(encoding)? != ValueType::String {
        return Ok(false);
    }
    Ok(ENCODINGS.contains(&text(encoding)?.to_ascii_lowercase().as_str()))
}

/// Whether `input` is something that can be written.
///
/// # Errors
/// An N-API failure.
pub fn is_input(context: &Context, input: &Unknown) -> Result<bool> {
    Ok(kind(input)? == ValueType::String || engine::with_bytes(context.env, input, |_| ()).is_some())
}

/// `options.input` as bytes. A string is encoded as `encoding` says, by default as UTF-8.
///
/// # Errors
/// `ERR_INVALID_ARG_TYPE`; what Node throws for an encoding that it does not know.
pub fn to_bytes(context: &Context, input: &Unknown, encoding: &Unknown) -> Result<Vec<u8>> {
    if kind(input)? == ValueType::String {
        if !is_truthy(encoding)? {
            return Ok(text(input)?.into_bytes());
        }
        let buffer = option(&context.env.get_global()?.coerce_to_object()?, c"Buffer")?.coerce_to_object()?;
        let from: Function<FnArgs<(Unknown, Unknown)>, Unknown> = buffer.get_named_property("from")?;
        let bytes = from.apply(buffer, FnArgs::from((*input, *encoding)))?;
        return to_bytes(context, &bytes, encoding);
    }
    engine::with_bytes(context.env, input, <[u8]>::to_vec).ok_or_else(|| invalid(context, input))
}

/// `ERR_INVALID_ARG_TYPE`.
pub fn invalid(context: &Context, input: &Unknown) -> Error {
    context.invalid_type("options.stdio[0]", EXPECTED, input)
}
