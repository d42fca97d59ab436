//! The normalised options of `ChildProcess.prototype.spawn` → what the launcher runs.

use std::ffi::CString;

use napi::bindgen_prelude::{Array, FromNapiValue, JsObjectValue, JsValue, Uint8Array};
use napi::{Result, Unknown, ValueType};

use super::stdio::{self, Entry};
use super::{Context, is_nullish, is_truthy, kind, text};
use crate::launch::{Command, Stdio, Strings};

/// The properties of normalised options that both families share, as `ChildProcess.prototype.spawn` finds them.
pub struct Normalized<'a> {
    pub file: Unknown<'a>,
    pub args: Unknown<'a>,
    pub env_pairs: Unknown<'a>,
    pub cwd: Unknown<'a>,
    pub uid: Unknown<'a>,
    pub gid: Unknown<'a>,
    pub detached: Unknown<'a>,
}

/// Reads and checks the options in Node's order.
///
/// # Errors
/// `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` and those of [`stdio::plan`].
pub fn request(
    context: &Context,
    stdio: Unknown,
    serialization: &Unknown,
    options: &Normalized,
) -> Result<(Command, Vec<Entry>)> {
    let stdio = stdio::plan(context, stdio)?;
    check_serialization(context, serialization)?;
    if stdio.contains(&Entry::Channel) && kind(&options.env_pairs)? != ValueType::Undefined {
        context.check_array(&options.env_pairs, "options.envPairs")?;
    }
    context.check_string(&options.file, "options.file")?;
    if kind(&options.args)? != ValueType::Undefined {
        context.check_array(&options.args, "options.args")?;
    }
    Ok((read(options)?, stdio))
}

/// Reads options that have been checked, but for the descriptors. Only a string that isn't empty is a directory to the builtin's spawn().
///
/// # Errors
/// What a `toString` of an argument throws.
pub fn read(options: &Normalized) -> Result<Command> {
    let command = read_sync(options)?;
    let is_directory = kind(&options.cwd)? == ValueType::String;
    let cwd = command.cwd.filter(|path| is_directory && !path.is_empty());
    Ok(Command { cwd, ..command })
}

/// The same for the synchronous family, where a Buffer and an empty string are directories, too.
///
/// # Errors
/// What a `toString` of an argument throws.
pub fn read_sync(options: &Normalized) -> Result<Command> {
    let Normalized { file, args, env_pairs, cwd, uid, gid, detached } = options;
    let args = if args.is_array()? { strings(*args)? } else { Strings::new() };
    Ok(Command {
        env: if env_pairs.is_array()? { Some(strings(*env_pairs)?) } else { None },
        cwd: path(cwd)?,
        uid: id(uid)?,
        gid: id(gid)?,
        detached: is_truthy(detached)?,
        ..Command::new(c_string(text(file)?.as_bytes()), args)
    })
}

/// What the child gets for an entry that is no pipe.
pub fn without_pipe(target: usize, entry: Entry) -> Option<Stdio> {
    match entry {
        Entry::Ignore if target <= 2 => Some(Stdio::Null),
        Entry::Ignore => Some(Stdio::Closed),
        Entry::Inherit(fd) | Entry::Stream(fd) => Some(Stdio::Inherit(fd)),
        Entry::Pipe | Entry::Channel => None,
    }
}

fn check_serialization(context: &Context, value: &Unknown) -> Result<()> {
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

fn strings(list: Unknown) -> Result<Strings> {
    let list = Array::from_unknown(list)?;
    let mut strings = Strings::new();
    for index in 0..list.len() {
        strings.push(text(&list.get_element(index)?)?.as_bytes());
    }
    Ok(strings)
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
