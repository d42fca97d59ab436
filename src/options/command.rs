//! Turns the normalised options of `ChildProcess.prototype.spawn` into what the launcher runs.

use std::ffi::CString;
use std::mem;

use napi::bindgen_prelude::{FromNapiValue, JsValue, Uint8Array};
use napi::{Result, Unknown, ValueType};

use super::environment::{self, Pairs};
use super::normalize::{Normalized, elements};
use super::stdio::Entry;
use super::{Context, is_nullish, is_truthy, kind, text};
use crate::engine;
use crate::launch::{Command, Stdio, Strings};

/// The normalised options that the synchronous and the asynchronous functions share.
pub struct Plain<'a> {
    pub file: Unknown<'a>,
    pub args: Args<'a>,
    pub env: Env<'a>,
    pub cwd: Option<Unknown<'a>>,
    pub uid: Option<Unknown<'a>>,
    pub gid: Option<Unknown<'a>>,
    pub detached: Option<Unknown<'a>>,
}

/// `argv`.
pub enum Args<'a> {
    /// Made here.
    Made(Vec<Unknown<'a>>),
    /// `options.args`, from JavaScript.
    Given(Unknown<'a>),
}

/// An environment of `NAME=value` strings.
pub enum Env<'a> {
    /// Made from `options.env`, or from the environment of this process.
    Made(Pairs),
    /// `options.envPairs`, from JavaScript.
    Given(Unknown<'a>),
}

impl Env<'_> {
    /// The strings, without any check.
    ///
    /// # Errors
    /// What a `toString` throws.
    pub fn into_pairs(self) -> Result<Pairs> {
        match self {
            Self::Made(pairs) => Ok(pairs),
            Self::Given(list) if list.is_array()? => {
                elements(&list)?.iter().map(text).collect::<Result<_>>().map(Some)
            }
            Self::Given(_) => Ok(None),
        }
    }

    /// Takes the strings out, so that the caller can add some and put them back. If the child would simply inherit the
    /// environment, returns that of this process.
    ///
    /// # Errors
    /// What a `toString` throws.
    pub fn take_list(&mut self) -> Result<Vec<String>> {
        match mem::replace(self, Self::Made(None)) {
            Self::Made(pairs) => Ok(pairs.unwrap_or_else(environment::of_this_process)),
            given => Ok(given.into_pairs()?.unwrap_or_default()),
        }
    }
}

impl<'a> Plain<'a> {
    /// From the result of [`normalize`](super::normalize).
    #[must_use]
    pub fn of(normalized: Normalized<'a>) -> Self {
        let Normalized { file, words, env, cwd, options, .. } = normalized;
        let [uid, gid, detached] = ["uid", "gid", "detached"].map(|name| options.given(name).copied());
        Self { file, args: Args::Made(words), env: Env::Made(env), cwd, uid, gid, detached }
    }

    /// Checks them, in the same order as Node, for a child with these descriptors.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG_TYPE`.
    pub fn check(&self, context: &Context, stdio: &[Entry]) -> Result<()> {
        // Options that have been normalised here need no check.
        let Env::Given(pairs) = &self.env else { return Ok(()) };
        if stdio.contains(&Entry::Channel) && kind(pairs)? != ValueType::Undefined {
            context.check_array(pairs, "options.envPairs")?;
        }
        context.check_string(&self.file, "options.file")?;
        match &self.args {
            Args::Given(args) if kind(args)? != ValueType::Undefined => {
                context.check_array(args, "options.args")
            }
            _ => Ok(()),
        }
    }

    /// What the launcher runs, without the descriptors. The builtin's `spawn()` accepts only a string that is not empty
    /// as `cwd`, and from Node 22 on replaces an argument that cannot be converted to a string by an empty one.
    ///
    /// # Errors
    /// What a `toString` of an argument throws.
    pub fn into_command(self, context: &Context) -> Result<Command> {
        let cwd = match &self.cwd {
            Some(cwd) if kind(cwd)? == ValueType::String => path(cwd)?.filter(|path| !path.is_empty()),
            _ => None,
        };
        Ok(Command { cwd, ..self.with_arguments(context, context.node >= 22)? })
    }

    /// The same for `spawnSync()` and its like, which also accept a Buffer or an empty string as `cwd`.
    ///
    /// # Errors
    /// What a `toString` of an argument throws.
    pub fn into_sync_command(self, context: &Context) -> Result<Command> {
        let cwd = self.cwd.as_ref().map_or(Ok(None), path)?;
        Ok(Command { cwd, ..self.with_arguments(context, false)? })
    }

    fn with_arguments(self, context: &Context, is_lenient: bool) -> Result<Command> {
        let words = match self.args {
            Args::Made(words) => words,
            Args::Given(list) => elements(&list)?,
        };
        let file = text(&self.file)?;
        let mut args = Strings::new();
        for word in &words {
            // In most cases the zeroth is the file.
            if word.raw() == self.file.raw() {
                args.push(file.as_bytes());
            } else {
                push_argument(context, word, is_lenient, &mut args)?;
            }
        }
        Ok(Command {
            env: self.env.into_pairs()?.map(|pairs| pairs.iter().map(String::as_bytes).collect()),
            uid: self.uid.as_ref().map_or(Ok(None), id)?,
            gid: self.gid.as_ref().map_or(Ok(None), id)?,
            detached: self.detached.as_ref().map_or(Ok(false), is_truthy)?,
            ..Command::new(c_string(file.as_bytes()), args)
        })
    }
}

/// Adds an argument of any type. `is_lenient`: one that cannot be converted to a string becomes an empty one.
fn push_argument(context: &Context, word: &Unknown, is_lenient: bool, strings: &mut Strings) -> Result<()> {
    match text(word) {
        Ok(text) => strings.push(text.as_bytes()),
        Err(_) if is_lenient => {
            let _ = engine::take_exception(context.env);
            strings.push(b"");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// What the child gets for an entry that is not a pipe; `None` for a pipe.
pub fn without_pipe(target: usize, entry: Entry) -> Option<Stdio> {
    match entry {
        Entry::Ignore if target <= 2 => Some(Stdio::Null),
        Entry::Ignore => Some(Stdio::Closed),
        Entry::Inherit(fd) | Entry::Stream(fd) => Some(Stdio::Inherit(fd)),
        Entry::Pipe | Entry::Channel => None,
    }
}

/// Checks `options.serialization`.
///
/// # Errors
/// `ERR_INVALID_ARG_VALUE`.
pub fn check_serialization(context: &Context, value: &Unknown) -> Result<()> {
    let known = match kind(value)? {
        ValueType::Undefined => true,
        ValueType::String => matches!(text(value)?.as_str(), "json" | "advanced"),
        _ => false,
    };
    if known {
        return Ok(());
    }
    let reason = "must be one of: undefined, 'json', 'advanced'";
    Err(context.invalid_value("options.serialization", value, reason))
}

fn path(value: &Unknown) -> Result<Option<CString>> {
    if is_nullish(value)? {
        return Ok(None);
    }
    if value.is_typedarray()? {
        return Ok(Some(c_string(&Uint8Array::from_unknown(*value)?)));
    }
    Ok(Some(c_string(text(value)?.as_bytes())))
}

fn id(value: &Unknown) -> Result<Option<u32>> {
    match kind(value)? {
        ValueType::Number => Ok(Some(value.coerce_to_number()?.get_int32()?.cast_unsigned())),
        _ => Ok(None),
    }
}

/// The bytes up to the first NUL, as any C function would read them.
fn c_string(bytes: &[u8]) -> CString {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    CString::new(bytes.get(..end).unwrap_or_default()).unwrap_or_default()
}
