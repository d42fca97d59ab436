//! What two native ends say to each other beyond the builtin's protocol (`docs/protocol.md`, «Two native ends»).

use serde::{Deserialize, Serialize};

/// The first byte of every word. No JSON text begins with it, and no serialised value.
pub const MARK: u8 = 0x01;

/// One word of the private protocol. An end understands words only where it has announced, or been told of, a native end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd")]
pub enum Word {
    /// The child's end is a native one. Only the child that this parent has started knows the secret.
    Hello { secret: String },
    /// Stands for a message of `bytes` bytes in this slot of shared memory. The slot's descriptor comes along where the slot is a
    /// new one, of `size` bytes.
    Shared {
        slot: u32,
        content: Content,
        bytes: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
    },
    /// The receiver has copied the message out of this slot.
    Taken { slot: u32 },
    /// The receiver could not: the message is to be sent again through the socket, and the slot is no longer known.
    NotTaken { slot: u32 },
    /// The message that follows is the one that was not taken out of this slot.
    Inline { slot: u32 },
    /// The sender will not use this slot any more.
    Forget { slot: u32 },
    /// The receiver has got the oldest `count` handles.
    HandlesTaken { count: u32 },
    /// The receiver has not got the oldest handle: it is to be sent again.
    HandleMissed {},
    /// The handle that follows is the one of this number, again.
    HandleAgain { number: u32 },
    /// The handle of this number will not come any more.
    HandleLost { number: u32 },
}

/// What the bytes in a slot are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Those of a Buffer.
    Buffer,
    /// Those of an ArrayBuffer.
    ArrayBuffer,
    /// A whole message, as it would have gone through the socket.
    Message,
}

impl Word {
    /// Appends the word with its mark, without what separates messages.
    pub fn push(&self, out: &mut Vec<u8>) {
        out.push(MARK);
        // Texts and numbers can always be serialised, and a Vec takes any number of bytes.
        let _ = serde_json::to_writer(out, self);
    }

    /// The word that a message is; `None`: it is none.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<Self> {
        serde_json::from_slice(message.strip_prefix(&[MARK])?).ok()
    }
}
