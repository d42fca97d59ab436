//! Internal messages: objects whose `cmd` begins with `NODE_`, the protocol's own words between two ends.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

const PREFIX: &str = "NODE_";

/// The version of what two native ends do beyond the builtin's protocol: from 3 on they read packed
/// messages, and large ones out of memory that is used again.
pub const VERSION: u32 = 3;
/// The line with which an end of this version introduces itself.
pub const INTRODUCTION: &[u8] = br#"{"cmd":"NODE_CHILD_PROCESS_RS","version":3}"#;

/// What the protocol itself says (`internal_child_process.js` of Node speaks the same).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cmd")]
pub enum Internal {
    /// The receiver has got the handle.
    #[serde(rename = "NODE_HANDLE_ACK")]
    Acknowledged,
    /// The receiver was promised a handle and has not got one: send it again.
    #[serde(rename = "NODE_HANDLE_NACK")]
    NotReceived,
    /// This end is a native one, of this version of the additions to the protocol.
    #[serde(rename = "NODE_CHILD_PROCESS_RS")]
    Native { version: u32 },
    /// Stands for a message of so many bytes in this slot of shared memory, whose descriptor comes along where it has a `size`.
    #[serde(rename = "NODE_CHILD_PROCESS_RS_SHARED")]
    Shared {
        slot: u32,
        bytes: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
    },
    /// The other end has taken what was in this slot, and, unless `kept`, needs its descriptor again.
    #[serde(rename = "NODE_CHILD_PROCESS_RS_TAKEN")]
    Taken { slot: u32, kept: bool },
    /// The other end will not use this slot any more.
    #[serde(rename = "NODE_CHILD_PROCESS_RS_FORGET")]
    Forget { slot: u32 },
    /// The other end has got the next so many handles; the oldest ones.
    #[serde(rename = "NODE_CHILD_PROCESS_RS_HANDLES")]
    HandlesTaken { count: u32 },
    /// It has not got the next one.
    #[serde(rename = "NODE_CHILD_PROCESS_RS_MISSED")]
    HandleMissed {},
    /// The handle that follows is the one of this number, again.
    #[serde(rename = "NODE_CHILD_PROCESS_RS_AGAIN")]
    HandleAgain { count: u32 },
    /// The handle of this number will not come any more.
    #[serde(rename = "NODE_CHILD_PROCESS_RS_LOST")]
    HandleLost { count: u32 },
}

impl Internal {
    /// How the `cmd` of what only native ends say begins.
    pub const OURS: &str = "NODE_CHILD_PROCESS_RS";

    /// Whether only native ends say it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !matches!(self, Self::Acknowledged | Self::NotReceived)
    }

    /// The message as a line of JSON, without its newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialising a unit or a number cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads one of the messages above.
    #[must_use]
    pub fn from_json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }
}

/// Whether a value with this `cmd` is an internal message.
#[must_use]
pub fn is_internal(cmd: &str) -> bool {
    cmd.len() > PREFIX.len() && cmd.starts_with(PREFIX)
}

/// Whether an internal message may be among `text`, one or more JSON texts: cheap, and never wrongly no.
#[must_use]
pub fn may_be_among(text: &[u8]) -> bool {
    // The prefix as it is, or with one of its characters, or of `cmd`'s, escaped.
    memmem::find(text, PREFIX.as_bytes()).is_some() || memmem::find(text, b"\\u00").is_some()
}

/// The `cmd` of the JSON text, if it is an internal message.
///
/// # Errors
/// It may be one, but only the engine can read it: it has lone surrogates in it, or is no JSON.
pub fn command(text: &[u8]) -> Result<Option<Cow<'_, str>>, Unreadable> {
    if !may_be_among(text) {
        return Ok(None);
    }
    match serde_json::from_slice::<Probe>(text) {
        Ok(probe) => Ok(probe.cmd.filter(|cmd| is_internal(cmd))),
        // An array, say: a text that is no object.
        Err(error) if error.is_data() => Ok(None),
        Err(_) => Err(Unreadable),
    }
}

/// See [`command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Whether the JSON text is an internal message that can be read here.
#[must_use]
pub fn is_internal_json(text: &[u8]) -> bool {
    matches!(command(text), Ok(Some(_)))
}

/// The `cmd` of a message that a descriptor comes with.
pub const HANDLE: &str = "NODE_HANDLE";

/// Whether the words of an internal message may be among `bytes`, as V8 serialises a string, in one byte a character or two.
#[must_use]
pub fn may_be_in_serialized(bytes: &[u8]) -> bool {
    memmem::find(bytes, PREFIX.as_bytes()).is_some() || memmem::find(bytes, b"N\0O\0D\0E\0_\0").is_some()
}

/// The last `cmd` of an object, as `JSON.parse` would leave it; `None` for anything else.
#[derive(Default)]
struct Probe<'a> {
    cmd: Option<Cow<'a, str>>,
}

impl<'de> Deserialize<'de> for Probe<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Probe<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut probe = Probe::default();
                while let Some(Name(name)) = members.next_key()? {
                    if name == "cmd" {
                        probe.cmd = match members.next_value()? {
                            Command::Text(cmd) => Some(cmd),
                            Command::Other(_) => None,
                        };
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(probe)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Command<'a> {
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Other(IgnoredAny),
}
