//! JSON texts of plain values, as `JSON.stringify` writes them (ECMA-262, «SerializeJSONProperty»).

/// What stands for a lone surrogate where UTF-16 became UTF-8; the string has to be asked again then.
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// Whether UTF-8 that was made of a JavaScript string may have lost a lone surrogate.
#[must_use]
pub fn may_have_lost(text: &[u8]) -> bool {
    !text.is_ascii() && memchr::memmem::find(text, REPLACEMENT).is_some()
}

/// Turns the string that begins at `start` of `out` into a JSON string, in place where nothing in it must be escaped.
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

/// Appends a JSON string of UTF-16; lone surrogates are escaped.
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

/// Whether a line can stand among others in an array without swallowing its neighbours or being swallowed, provided that
/// the array has as many elements as lines went into it: it begins and ends as one value does.
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

/// Makes one array of several texts.
pub fn join<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a [u8]>) {
    out.push(b'[');
    for text in texts {
        out.extend_from_slice(text);
        out.push(b',');
    }
    out.pop();
    out.push(b']');
}

/// The letter after the backslash of an escaped byte.
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

/// Appends a number as JavaScript writes it (ECMA-262, «Number::toString»); what is not finite is `null`.
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
