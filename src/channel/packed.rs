//! Packed messages: what two native ends send each other in place of a JSON text. JavaScript makes and reads them
//! (`lib/pack.js`); here they only have a beginning and a length, and stand among lines.

/// What no line that is a JSON text begins with.
pub const MARK: u8 = 0x01;
/// The mark and the length, bytes.
const HEADER: usize = 1 + size_of::<u32>();

/// Appends what comes before a packed message of `length` bytes.
pub fn push_header(out: &mut Vec<u8>, length: u32) {
    out.push(MARK);
    out.extend_from_slice(&length.to_le_bytes());
}

/// How long the packed message is that `bytes` begin with, its header included; `None`: that is not known yet.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    let (_, length) = bytes.split_first()?;
    Some(HEADER + u32::from_le_bytes(*length.first_chunk()?) as usize)
}
