//! Internal messages: objects whose `cmd` begins with `NODE_`. They belong to the protocol, not to the program.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

const PREFIX: &str = "NODE_";

/// What an end reports to a builtin end about a handle (the same as in Node's `internal_child_process.js`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The handle has arrived.
    Acknowledged,
    /// A handle was announced and has not arrived; it must be sent again.
    NotReceived,
}

/// An internal message that has a `cmd` only.
#[derive(Serialize)]
struct Plain<'a> {
    cmd: &'a str,
}

impl Reply {
    /// The `cmd` of the message.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Acknowledged => "NODE_HANDLE_ACK",
            Self::NotReceived => "NODE_HANDLE_NACK",
        }
    }

    /// The reply with this `cmd`.
    #[must_use]
    pub fn from_command(command: &str) -> Option<Self> {
        [Self::Acknowledged, Self::NotReceived].into_iter().find(|reply| reply.command() == command)
    }

    /// The message as a line of JSON, without its newline.
    #[must_use]
    pub fn to_json(self) -> String {
        // Serialising a string cannot fail.
        serde_json::to_string(&Plain { cmd: self.command() }).unwrap_or_default()
    }
}

/// Whether a value with this `cmd` is an internal message.
#[must_use]
pub fn is_internal(cmd: &str) -> bool {
    cmd.len() > PREFIX.len() && cmd.starts_with(PREFIX)
}

/// Whether `text`, one or more JSON texts, may contain an internal message. This is cheap, and `false` is always right.
#[must_use]
pub fn may_be_among(text: &[u8]) -> bool {
    // Either the prefix itself, or an escape sequence, which may hide a character of it or of `cmd`.
    memmem::find(text, PREFIX.as_bytes()).is_some() || memmem::find(text, b"\\u00").is_some()
}

/// The `cmd` of the JSON text if it is an internal message, `None` if it is not.
///
/// # Errors
/// Only V8 can decide: the text contains lone surrogates, or is not valid JSON.
pub fn command(text: &[u8]) -> Result<Option<Cow<'_, str>>, Unreadable> {
    if !may_be_among(text) {
        return Ok(None);
    }
    match serde_json::from_slice::<Probe>(text) {
        Ok(probe) => Ok(probe.cmd.filter(|cmd| is_internal(cmd))),
        // Valid JSON that is not an object.
        Err(error) if error.is_data() => Ok(None),
        Err(_) => Err(Unreadable),
    }
}

/// The error of [`command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The `cmd` of a message that comes with a descriptor.
pub const HANDLE: &str = "NODE_HANDLE";

/// Whether `bytes` in V8's format may contain an internal message: the prefix as a one-byte or two-byte string.
#[must_use]
pub fn may_be_in_serialized(bytes: &[u8]) -> bool {
    memmem::find(bytes, PREFIX.as_bytes()).is_some() || memmem::find(bytes, b"N\0O\0D\0E\0_\0").is_some()
}

/// The `cmd` of an object if it is a string; of several the last, as with `JSON.parse`.
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
