//! The environment variables that describe its channel to a child. A child that runs the same Node as this process gets
//! a native end: Node loads `lib/channel/native-end.js` in it first.

use std::hash::{BuildHasher, RandomState};

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Result, Unknown, ValueType};
use serde_json::{Map, Value};

use super::environment::{set, take, value};
use super::{Context, is_truthy, kind, option, text};

/// The settings of a native end; `builtin` forbids one.
const NATIVE: &str = "CHILD_PROCESS_RS_CHANNEL";
const BINARY: &str = "CHILD_PROCESS_RS_BINARY";
const OPTIONS: &str = "NODE_OPTIONS";
/// The id of a cluster worker. Node looks for it before our channel exists.
const WORKER: &str = "NODE_UNIQUE_ID";
const FD: &str = "NODE_CHANNEL_FD";
const MODE: &str = "NODE_CHANNEL_SERIALIZATION_MODE";
/// With one of these options the addon or the preloaded file could not be loaded, or `NODE_OPTIONS` has another
/// meaning.
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

/// The files of a native end.
struct Files {
    /// The option that makes Node load `lib/channel/native-end.js`.
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
    /// Whether the child runs the same Node and may have a native end.
    pub may_be_native: bool,
}

impl Channel<'_> {
    /// Adds the variables to the environment of the child. Returns the secret by which a native end proves that it is
    /// one: any other program that may run in the child does not know it.
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
        // In an environment copied from this process, it is the descriptor of this process's own channel.
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
            // The child does not have to search for the addon again.
            fields.insert("hasBinary".into(), true.into());
            set(pairs, BINARY, &files.binary);
        }
        if let Some(worker) = take(pairs, WORKER) {
            fields.insert("worker".into(), worker.into());
        }
        // Replaces a value other than `builtin`: it has no meaning, and would be found first.
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

/// Whether a child that runs this Node with `exec_argv` may have a native end in this environment.
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
