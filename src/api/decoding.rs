//! Decodes outputs to strings or Buffers: complete ones, and ones that were cut off.

use napi::bindgen_prelude::{FnArgs, FromNapiValue, Function, JsObjectValue, Object};
use napi::{Env, Result, Unknown, ValueType};

use crate::capture::output::Captured;
use crate::engine::{self, Memory, Part, Wrapper};
use crate::options::{Context, is_truthy, kind, text};

/// An output with more bytes is decoded by Node, which throws the right error if the text is too long for a string.
const LONG: usize = 1 << 28;
/// An output with at most this many bytes is copied into a Buffer; a longer one becomes the memory of the Buffer.
const SHORT: usize = 4096;

/// Decodes an output; without an `encoding`, makes a Buffer of it.
pub(super) fn decode<'a>(env: &'a Env, bytes: Vec<u8>, encoding: &Unknown) -> Result<Unknown<'a>> {
    let name = if kind(encoding)? == ValueType::String { text(encoding)? } else { String::new() };
    if is_utf8(&name) && bytes.len() < LONG {
        return engine::string(env, &bytes);
    }
    if is_truthy(encoding)? && name != "buffer" {
        let buffer = buffer(env, bytes)?;
        return Object::from_unknown(buffer)?
            .get_named_property::<Function<FnArgs<(Unknown,)>, Unknown>>("toString")?
            .apply(buffer, FnArgs::from((*encoding,)));
    }
    buffer(env, bytes)
}

fn buffer(env: &Env, bytes: Vec<u8>) -> Result<Unknown<'_>> {
    if bytes.len() <= SHORT {
        return engine::buffer(env, &bytes);
    }
    engine::adopt_bytes(env, Part::whole(Memory::Vector(bytes)), Wrapper::Buffer)
}

/// Decodes the beginning of an output that was cut off, without the bytes of an incomplete character, and at most
/// `limit` bytes. As with the builtin, `limit` counts the bytes of what was read before, and then the characters of the
/// last read.
pub(super) fn decode_beginning<'a>(
    context: &Context<'a>,
    captured: Captured,
    encoding: &Unknown<'a>,
    limit: f64,
) -> Result<Unknown<'a>> {
    let env = context.env;
    let Captured { mut bytes, before_last, .. } = captured;
    if !is_truthy(encoding)? {
        bytes.truncate(limit as usize);
        return buffer(env, bytes);
    }
    let (before, last) = bytes.split_at(before_last.min(bytes.len()));
    let parts = (engine::buffer(env, before)?, engine::buffer(env, last)?, *encoding, limit);
    if let Some(text) = context.hook(c"decodeBeginning", parts)? {
        return Ok(text);
    }
    // Without `lib/` all of the limit counts bytes.
    bytes.truncate(limit as usize);
    let invalid = bytes.utf8_chunks().last().map_or(&b""[..], |chunk| chunk.invalid());
    if is_utf8(&text(encoding)?) && str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none()) {
        bytes.truncate(bytes.len() - invalid.len());
    }
    decode(env, bytes, encoding)
}

fn is_utf8(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf8") || name.eq_ignore_ascii_case("utf-8")
}
