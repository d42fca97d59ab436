//! Internal messages: objects whose `cmd` begins with `NODE_`, the protocol's own words between two ends.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

const PREFIX: &str = "NODE_";

/// What an end says to a builtin one of the handles that it receives (`internal_child_process.js` of Node speaks the same).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The receiver has got the handle.
    Acknowledged,
    /// The receiver was promised a handle and has not got one: send it again.
    NotReceived,
}

/// An internal message that says nothing but its `cmd`.
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

    /// The one of this `cmd`.
    #[must_use]
    pub fn from_command(command: &str) -> Option<Self> {
        [Self::Acknowledged, Self::NotReceived].into_iter().find(|reply| reply.command() == command)
    }

    /// The message as a line of JSON, without its newline.
    #[must_use]
    pub fn to_json(self) -> String {
        // Serialising a text cannot fail.
        serde_json::to_string(&Plain { cmd: self.command() }).unwrap_or_default()
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
