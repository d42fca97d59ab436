//! What a child's environment says of its channel. A child that is this very Node gets the native end of it: Node loads
//! `lib/channel/native-end.js` there first.

use std::hash::{BuildHasher, RandomState};

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Result, Unknown, ValueType};
use serde_json::{Map, Value};

use super::environment::{set, take, value};
use super::{Context, is_truthy, kind, option, text};

/// Tells the native end of its channel; `builtin`: there is to be none.
const NATIVE: &str = "CHILD_PROCESS_RS_CHANNEL";
const BINARY: &str = "CHILD_PROCESS_RS_BINARY";
const OPTIONS: &str = "NODE_OPTIONS";
/// The id of a worker of cluster's, which Node looks for before there is our channel.
const WORKER: &str = "NODE_UNIQUE_ID";
const FD: &str = "NODE_CHANNEL_FD";
const MODE: &str = "NODE_CHANNEL_SERIALIZATION_MODE";
/// With one of these the addon could not be loaded, or not even the preload; or `NODE_OPTIONS` means something else.
const FORBIDDING: [&str; 8] = [
    "--permission",
    "--experimental-permission",
    "--permission-audit",
    "--no-addons",
    "--env-file",
    "--env-file-if-exists",
    "--watch",
    "--watch-path",
];

/// What the host has for native ends.
struct Files {
    /// The option with which a Node loads `lib/channel/native-end.js`.
    require: String,
    /// The addon.
    binary: String,
}

/// The channel of a child that is about to be launched.
pub struct Channel<'a> {
    /// The child's descriptor.
    pub fd: usize,
    pub serialization: Unknown<'a>,
    pub busy_poll: Unknown<'a>,
    pub max_message_size: Unknown<'a>,
    /// Whether the child is a Node of this kind that may have a native end.
    pub may_be_native: bool,
}

impl Channel<'_> {
    /// Puts it into the environment of the child. Gives the secret with which a native end introduces itself; whatever else may
    /// run in the child's place does not know it.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn announce(&self, context: &Context, pairs: &mut Vec<String>) -> Result<Option<String>> {
        let mode = if is_advanced(&self.serialization)? { "advanced" } else { "json" };
        if self.may_be_native
            && let Some(files) = files(context)?
        {
            return self.announce_native(&files, mode, pairs).map(Some);
        }
        pairs.push(format!("{FD}={}", self.fd));
        pairs.push(format!("{MODE}={mode}"));
        Ok(None)
    }

    fn announce_native(&self, files: &Files, mode: &str, pairs: &mut Vec<String>) -> Result<String> {
        // Another channel's, that the caller passes on.
        take(pairs, FD);
        let given = value(pairs, OPTIONS).map(str::to_owned);
        set(pairs, OPTIONS, &format!("{} {}", files.require, given.as_deref().unwrap_or_default()));
        let secret = new_secret();
        let mut fields = Map::new();
        fields.insert("fd".into(), self.fd.into());
        fields.insert("serialization".into(), mode.into());
        fields.insert("secret".into(), secret.clone().into());
        fields.insert("hadOptions".into(), given.is_some().into());
        for (name, setting) in [("busyPoll", &self.busy_poll), ("maxMessageSize", &self.max_message_size)] {
            if kind(setting)? == ValueType::Number {
                fields.insert(name.into(), setting.coerce_to_number()?.get_double()?.into());
            }
        }
        if value(pairs, BINARY).is_none() {
            // It need not look for it again.
            fields.insert("hasBinary".into(), true.into());
            set(pairs, BINARY, &files.binary);
        }
        if let Some(worker) = take(pairs, WORKER) {
            fields.insert("worker".into(), worker.into());
        }
        // Anything but `builtin` that is there means nothing, and would be found first.
        set(pairs, NATIVE, &Value::Object(fields).to_string());
        Ok(secret)
    }
}

/// Whether the option `serialization` asks for the advanced one.
///
/// # Errors
/// An N-API failure.
pub fn is_advanced(serialization: &Unknown) -> Result<bool> {
    Ok(kind(serialization)? == ValueType::String && text(serialization)? == "advanced")
}

fn new_secret() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn files(context: &Context) -> Result<Option<Files>> {
    let Some(files) = context.hook_member(c"nativeEnd")? else { return Ok(None) };
    let files: Object = files.coerce_to_object()?;
    Ok(Some(Files {
        require: text(&option(&files, c"require")?)?,
        binary: text(&option(&files, c"binary")?)?,
    }))
}

/// Whether a child that is this Node, started with `exec_argv`, may have a native end in this environment.
///
/// # Errors
/// What a getter throws.
pub fn may_be_native(context: &Context, exec_argv: &[Unknown], pairs: &[String]) -> Result<bool> {
    let here = option(&context.of_process(c"env")?.coerce_to_object()?, c"CHILD_PROCESS_RS_CHANNEL")?;
    let is_refused_here = is_truthy(&here)? && text(&here)? == "builtin";
    if is_refused_here || value(pairs, NATIVE) == Some("builtin") {
        return Ok(false);
    }
    let mut flags = vec![];
    for flag in exec_argv {
        flags.push(text(flag)?);
    }
    let given = value(pairs, OPTIONS).unwrap_or_default();
    let mut flags = flags.iter().map(String::as_str).chain(given.split_whitespace());
    Ok(!flags.any(forbids))
}

fn forbids(flag: &str) -> bool {
    let name = flag.split_once('=').map_or(flag, |(name, _)| name);
    FORBIDDING.contains(&name)
}
