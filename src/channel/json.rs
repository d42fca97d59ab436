//! Writes JSON texts of primitive values exactly as `JSON.stringify` does (ECMA-262, «SerializeJSONProperty»).

/// V8 writes this for a lone surrogate when it converts a string to UTF-8.
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// Whether the conversion of a JavaScript string to this UTF-8 may have lost a lone surrogate. Then its UTF-16 must
/// be used.
#[must_use]
pub fn may_have_lost(text: &[u8]) -> bool {
    !text.is_ascii() && memchr::memmem::find(text, REPLACEMENT).is_some()
}

/// Turns the text in `out` from `start` on into a JSON string; in place if nothing must be escaped.
pub fn quote(out: &mut Vec<u8>, start: usize) {
    let text = out.get(start..).unwrap_or_default();
    if !text.iter().any(|byte| escape(*byte).is_some()) {
        out.insert(start, b'"');
        out.push(b'"');
        return;
    }
    let text = out.split_off(start);
    out.reserve(text.len() + text.len() / 8 + 2);
    out.push(b'"');
    push_escaped(out, &text);
    out.push(b'"');
}

/// Appends a JSON string, given in UTF-16. Lone surrogates are escaped.
pub fn push_utf16(out: &mut Vec<u8>, units: &[u16]) {
    let start = out.len();
    let mut pieces = vec![];
    for character in char::decode_utf16(units.iter().copied()) {
        match character {
            Ok(character) => {
                let mut utf8 = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            }
            Err(lone) => pieces.push((out.len(), lone.unpaired_surrogate())),
        }
    }
    let text = out.split_off(start);
    out.push(b'"');
    let mut from = 0;
    for (at, surrogate) in pieces {
        push_escaped(out, text.get(from..at - start).unwrap_or_default());
        out.extend_from_slice(format!("\\u{surrogate:04x}").as_bytes());
        from = at - start;
    }
    push_escaped(out, text.get(from..).unwrap_or_default());
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match escape(*byte) {
            None => out.push(*byte),
            Some(b'u') => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            Some(letter) => out.extend_from_slice(&[b'\\', letter]),
        }
    }
}

/// Whether a line begins and ends as a single JSON value does. Only such lines may be joined into an array and parsed
/// together: if the array then has as many elements as lines, each element is taken for one line (for the exception
/// see `docs/decisions/codec.md`).
#[must_use]
pub fn is_closed(line: &[u8]) -> bool {
    match line {
        [b'{', .., b'}'] | [b'[', .., b']'] | [b'"', .., b'"'] => true,
        [first, ..] if !matches!(first, b'{' | b'[' | b'"') => {
            line.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        }
        _ => false,
    }
}

/// Appends a JSON array of these texts.
pub fn join<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a [u8]>) {
    out.push(b'[');
    for text in texts {
        out.extend_from_slice(text);
        out.push(b',');
    }
    out.pop();
    out.push(b']');
}

/// The letter that follows the backslash when this byte is escaped; `None` if it is not escaped.
fn escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        8 => b'b',
        9 => b't',
        10 => b'n',
        12 => b'f',
        13 => b'r',
        0..0x20 => b'u',
        _ => return None,
    })
}

/// Appends a number as JavaScript writes it (ECMA-262, «Number::toString»); `null` if it is not finite.
pub fn push_number(out: &mut Vec<u8>, number: f64) {
    let integer = number as i64;
    if integer as f64 == number && integer.unsigned_abs() <= 1 << 53 {
        out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
    } else if number.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}
