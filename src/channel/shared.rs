//! Large messages between two native ends: the bytes go into sealed memory, and only its descriptor over the socket.
//!
//! In the place of a serialised value stands a note that no serialised value begins with.

/// From so many bytes on sharing is cheaper than writing them through the socket (`docs/decisions/shared-memory.md`).
pub const LEAST: usize = 256 * 1024;
/// So many bytes may be under way, that the other end has not taken yet; what is more goes through the socket, where the
/// sender feels that it is ahead.
pub const MOST: usize = 256 << 20;
/// And so many descriptors: the kernel lets a user have no more of them under way than a process may have open.
const MOST_TIMES: usize = 64;

const NOTE: u8 = 0x01;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Buffer,
    ArrayBuffer,
    /// Those of a whole message, as they would have gone through the socket.
    Message,
}

/// What has been put into shared memory and the other end has not taken yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    bytes: usize,
    times: usize,
}

impl UnderWay {
    /// Whether more may follow.
    #[must_use]
    pub fn has_room(self) -> bool {
        self.bytes < MOST && self.times < MOST_TIMES
    }

    /// How many bytes it is.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.bytes
    }

    /// With so many bytes more.
    #[must_use]
    pub fn with(self, bytes: usize) -> Self {
        Self { bytes: self.bytes + bytes, times: self.times + 1 }
    }

    /// Without so many bytes that the other end says it has taken.
    #[must_use]
    pub fn without(self, bytes: usize) -> Self {
        Self { bytes: self.bytes.saturating_sub(bytes), times: self.times.saturating_sub(1) }
    }
}

/// Appends a note of `length` bytes in shared memory.
pub fn push_note(out: &mut Vec<u8>, kind: Kind, length: usize) {
    let kind = match kind {
        Kind::Buffer => 0,
        Kind::ArrayBuffer => 1,
        Kind::Message => 2,
    };
    out.extend_from_slice(&[NOTE, kind]);
    out.extend_from_slice(&(length as u64).to_le_bytes());
}

/// Reads a note.
#[must_use]
pub fn read_note(message: &[u8]) -> Option<(Kind, usize)> {
    let [NOTE, kind, length @ ..] = message else {
        return None;
    };
    let kind = match kind {
        0 => Kind::Buffer,
        1 => Kind::ArrayBuffer,
        2 => Kind::Message,
        _ => return None,
    };
    let length = u64::from_le_bytes(length.try_into().ok()?);
    Some((kind, usize::try_from(length).ok()?))
}
