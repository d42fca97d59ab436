//! The small part of V8's format (`v8/src/objects/value-serializer.cc`) that the channel reads and writes without V8:
//! messages that are a single Buffer or ArrayBuffer, and its own replies.

/// The first byte of every serialised value. The version of the format follows.
pub const HEADER: u8 = 0xFF;
/// The version that Node 20 to 26 write.
pub const VERSION: u8 = 15;
/// Node's marker of a host object that is a Buffer, a typed array or a DataView.
pub const VIEW: u32 = 0;
/// Node's marker of any other host object; it is serialised as a plain object.
pub const PLAIN: u32 = 1;
/// Node's number for the view type Buffer.
pub const BUFFER: u32 = 10;

/// Appends the header.
pub fn push_header(out: &mut Vec<u8>) {
    out.extend_from_slice(&[HEADER, VERSION]);
}

/// Appends a varint: seven bits a byte, least significant first.
fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends an object with one string property; name and value must be ASCII.
pub fn push_object(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b'o');
    for text in [name, value] {
        out.push(b'"');
        push_varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'{');
    push_varint(out, 1);
}

/// Appends an ArrayBuffer.
pub fn push_array_buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'B');
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a Buffer.
pub fn push_buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'\\');
    for number in [u64::from(VIEW), u64::from(BUFFER), bytes.len() as u64] {
        push_varint(out, number);
    }
    out.extend_from_slice(bytes);
}

/// The content of a Buffer, if the serialised value (with its header) is a single Buffer.
#[must_use]
pub fn buffer(value: &[u8]) -> Option<&[u8]> {
    let rest = value.strip_prefix(&[HEADER, VERSION, b'\\', VIEW as u8, BUFFER as u8])?;
    let (length, rest) = varint(rest)?;
    (rest.len() as u64 == length).then_some(rest)
}

/// The varint at the start of `bytes`, and the bytes after it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(5).position(|byte| *byte < 0x80)?;
    let (number, rest) = bytes.split_at_checked(end + 1)?;
    let value = number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7F));
    Some((value, rest))
}
