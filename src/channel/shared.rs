//! Large Buffers between two native ends: the bytes go into sealed memory, and only its descriptor over the socket.
//!
//! In the place of a serialised value stands a note that no serialised value begins with.

/// From so many bytes on sharing is cheaper than writing them through the socket (`docs/decisions/shared-memory.md`).
pub const LEAST: usize = 256 * 1024;
/// So many bytes may be under way, that the other end has not taken yet; what is more goes through the socket, where the
/// sender feels that it is ahead.
pub const MOST: usize = 256 << 20;

const NOTE: u8 = 0x01;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Buffer,
    ArrayBuffer,
}

/// Appends a note of `length` bytes in shared memory.
pub fn push_note(out: &mut Vec<u8>, kind: Kind, length: usize) {
    out.extend_from_slice(&[NOTE, u8::from(kind == Kind::ArrayBuffer)]);
    out.extend_from_slice(&(length as u64).to_le_bytes());
}

/// Reads a note.
#[must_use]
pub fn read_note(message: &[u8]) -> Option<(Kind, usize)> {
    let [NOTE, kind @ (0 | 1), length @ ..] = message else {
        return None;
    };
    let length = u64::from_le_bytes(length.try_into().ok()?);
    let kind = if *kind == 0 { Kind::Buffer } else { Kind::ArrayBuffer };
    Some((kind, usize::try_from(length).ok()?))
}
