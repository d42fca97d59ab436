//! Outputs as text: all of one, or what there is of one that was cut off.

use napi::bindgen_prelude::{FnArgs, FromNapiValue, Function, JsObjectValue, JsValue, Object};
use napi::{Env, Result, Unknown, ValueType};

use crate::collect::Gathered;
use crate::engine::{self, Memory, Part, Wrapper};
use crate::options::{is_truthy, kind, text};

/// Longer texts are left to Node, which has an error for one that is too long, bytes.
const LONG: usize = 1 << 28;
/// Copied rather than handed over, bytes.
const SHORT: usize = 4096;

/// An output in `encoding`; a Buffer where that is none.
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
    let range = 0..bytes.len();
    engine::adopt_bytes(env, Part { memory: Memory::Vector(bytes), range }, Wrapper::Buffer)
}

/// What came of an output that was closed before its end: a character that had only begun is left out.
pub(super) fn decode_cut<'a>(env: &'a Env, mut bytes: Vec<u8>, encoding: &Unknown) -> Result<Unknown<'a>> {
    bytes.truncate(whole(&bytes, encoding)?);
    decode(env, bytes, encoding)
}

/// What may be kept of an output that is longer than `limit`. The builtin counts bytes, and cuts characters off what came last.
pub(super) fn decode_limited<'a>(
    env: &'a Env,
    gathered: Gathered,
    encoding: &Unknown,
    limit: f64,
) -> Result<Unknown<'a>> {
    let Gathered { mut bytes, before_last, .. } = gathered;
    if !is_truthy(encoding)? {
        bytes.truncate(limit as usize);
        return buffer(env, bytes);
    }
    let last = bytes.split_off(before_last.min(bytes.len()));
    let begun = bytes.split_off(whole(&bytes, encoding)?);
    let before = bytes.len();
    let mut units = engine::utf16(env, &decode(env, bytes, encoding)?)?;
    let before = if is_utf8(&text(encoding)?) { String::from_utf16_lossy(&units).len() } else { before };
    let last = engine::utf16(env, &decode_cut(env, [begun, last].concat(), encoding)?)?;
    units.extend(last.get(..end_of_slice(limit - before as f64, last.len())).unwrap_or_default());
    Ok(env.create_string_utf16(&units)?.to_unknown())
}

/// Where `slice(0, end)` ends: a negative `end` counts from the end of the text.
fn end_of_slice(end: f64, length: usize) -> usize {
    let end = if end < 0.0 { length as f64 + end.ceil() } else { end };
    (end.max(0.0) as usize).min(length)
}

/// How many of the bytes are whole characters, those that are none included.
fn whole(bytes: &[u8], encoding: &Unknown) -> Result<usize> {
    let begun = match text(encoding)?.to_ascii_lowercase().as_str() {
        "utf8" | "utf-8" => begun_utf8(bytes),
        "ucs2" | "ucs-2" | "utf16le" | "utf-16le" => begun_utf16(bytes),
        "base64" | "base64url" => bytes.len() % 3,
        _ => 0,
    };
    Ok(bytes.len() - begun)
}

/// How many bytes at the end are the beginning of a character.
fn begun_utf8(bytes: &[u8]) -> usize {
    let is_continuation = |byte: &u8| byte & 0xC0 == 0x80;
    let tail = 1 + bytes.iter().rev().take_while(|byte| is_continuation(byte)).count();
    let first = bytes.len().checked_sub(tail).and_then(|place| bytes.get(place));
    let length = first.map_or(0, |byte| byte.leading_ones() as usize);
    if (2..=4).contains(&length) && tail < length { tail } else { 0 }
}

fn begun_utf16(bytes: &[u8]) -> usize {
    let odd = bytes.len() % 2;
    match bytes.get(..bytes.len() - odd) {
        // The first half of a pair.
        Some([.., high]) if (0xD8..=0xDB).contains(high) => odd + 2,
        _ => odd,
    }
}

fn is_utf8(name: &str) -> bool {
    name.eq_ignore_ascii_case("utf8") || name.eq_ignore_ascii_case("utf-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_has_only_begun_is_told_from_a_whole_one() {
        assert_eq!(begun_utf8(b""), 0);
        assert_eq!(begun_utf8(b"a"), 0);
        assert_eq!(begun_utf8("aä".as_bytes()), 0);
        assert_eq!(begun_utf8(b"a\xC3"), 1);
        assert_eq!(begun_utf8(b"\xF0\x9F\x98"), 3);
        assert_eq!(begun_utf8("😀".as_bytes()), 0);
    }

    #[test]
    fn what_is_no_utf8_begins_nothing() {
        assert_eq!(begun_utf8(b"\x80\x80\x80"), 0);
        assert_eq!(begun_utf8(b"\xFF"), 0);
        assert_eq!(begun_utf8(b"\xC3\x80\x80"), 0);
    }

    #[test]
    fn half_a_pair_of_utf16_is_no_character() {
        assert_eq!(begun_utf16(b"a\0"), 0);
        assert_eq!(begun_utf16(b"a\0b"), 1);
        assert_eq!(begun_utf16(b"a\0=\xD8"), 2);
        assert_eq!(begun_utf16(b"=\xD8\0"), 3);
        assert_eq!(begun_utf16(b"=\xD8\0\xDE"), 0);
    }

    #[test]
    fn a_negative_end_counts_from_the_end() {
        assert_eq!(end_of_slice(2.5, 4), 2);
        assert_eq!(end_of_slice(9.0, 4), 4);
        assert_eq!(end_of_slice(-1.5, 4), 3);
        assert_eq!(end_of_slice(-9.0, 4), 0);
    }
}
