//! Words: the messages that two native ends exchange in addition to the builtin's protocol (`docs/protocol.md`,
//! «Extensions: two native ends»).

use serde::{Deserialize, Serialize};

/// The first byte of every word. No JSON text and no serialised value begins with it.
pub const MARK: u8 = 0x01;

/// One word. An end accepts words only if it knows or expects that the other end is native.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd")]
pub enum Word {
    /// The child introduces itself as a native end. Only the child that the parent has started knows the secret.
    Hello { secret: String },
    /// A message of `bytes` bytes is in this slot of shared memory. `size` is given if the slot is new; its
    /// descriptor is then attached.
    Shared {
        slot: u32,
        content: Content,
        bytes: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
    },
    /// The receiver has copied the message out of this slot.
    Taken { slot: u32 },
    /// The receiver could not copy the message out. It asks for it through the socket, and has forgotten the slot.
    NotTaken { slot: u32 },
    /// The next message is the one that the receiver could not copy out of this slot.
    Inline { slot: u32 },
    /// The sender has freed this slot.
    Forget { slot: u32 },
    /// The receiver has received the oldest `count` handles.
    HandlesTaken { count: u32 },
    /// The receiver has not received the oldest handle and asks for it again.
    HandleMissed {},
    /// The next handle is the one of this number, sent again.
    HandleAgain { number: u32 },
    /// The sender has given up the handle of this number.
    HandleLost { number: u32 },
}

/// What the bytes in a slot are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// The bytes of a Buffer.
    Buffer,
    /// The bytes of an ArrayBuffer.
    ArrayBuffer,
    /// A whole message, in the form in which it would be written to the socket.
    Message,
}

impl Word {
    /// Appends the word with its mark, but without a newline or a length.
    pub fn push(&self, out: &mut Vec<u8>) {
        out.push(MARK);
        // Strings and numbers can always be serialised, and writing to a Vec cannot fail.
        let _ = serde_json::to_writer(out, self);
    }

    /// Parses a message as a word. `None` if it is not one.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<Self> {
        serde_json::from_slice(message.strip_prefix(&[MARK])?).ok()
    }
}
