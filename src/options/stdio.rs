//! Turns `options.stdio` into a plan of the child's descriptors.

use std::os::fd::RawFd;

use napi::bindgen_prelude::{Array, FromNapiValue, JsObjectValue, JsValue, Object};
use napi::{Result, Unknown, ValueType};

use super::{Context, is_nullish, is_truthy, kind, option, text};

/// One entry of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The null device for 0, 1 and 2; higher descriptors are not open.
    Ignore,
    /// A new socket pair; one end is ours.
    Pipe,
    /// A descriptor of this process.
    Inherit(RawFd),
    /// The descriptor of a stream of this process, which must stop reading it.
    Stream(RawFd),
    /// The IPC channel.
    Channel,
}

/// The number of descriptors that every child has.
pub const STANDARD: u32 = 3;

/// Reads `options.stdio`; the default is `'pipe'`.
///
/// # Errors
/// `ERR_INVALID_ARG_VALUE`, `ERR_IPC_ONE_PIPE`, `ERR_INVALID_SYNC_FORK_INPUT`.
pub fn plan(context: &Context, stdio: Unknown) -> Result<Vec<Entry>> {
    let mut plan = vec![];
    for (_, entry) in entries(context, stdio, Family::Asynchronous)? {
        if entry == Entry::Channel && plan.contains(&Entry::Channel) {
            return Err(context.second_channel());
        }
        plan.push(entry);
    }
    Ok(plan)
}

/// Reads `options.stdio` of the synchronous functions. Returns the entries, and whether the child reads from each.
///
/// # Errors
/// `ERR_INVALID_ARG_VALUE`, `ERR_IPC_SYNC_FORK`.
pub fn plan_sync(context: &Context, stdio: Unknown) -> Result<Vec<(bool, Entry)>> {
    let mut plan = vec![];
    for (index, entry) in entries(context, stdio, Family::Synchronous)? {
        if entry == Entry::Channel {
            return Err(context.synchronous_channel());
        }
        plan.push((index == 0, entry));
    }
    Ok(plan)
}

/// The entries for a string that is given instead of an array.
///
/// # Errors
/// `ERR_INVALID_ARG_VALUE`.
pub fn shorthand(context: &Context, stdio: &Unknown) -> Result<[Entry; STANDARD as usize]> {
    match text(stdio)?.as_str() {
        "pipe" | "overlapped" => Ok([Entry::Pipe; STANDARD as usize]),
        "ignore" => Ok([Entry::Ignore; STANDARD as usize]),
        "inherit" => Ok([0, 1, 2].map(Entry::Inherit)),
        _ => Err(context.invalid_value("stdio", stdio, "is invalid")),
    }
}

/// Whether `'ipc'` is among the entries.
///
/// # Errors
/// An N-API failure.
pub fn has_channel(stdio: Unknown) -> Result<bool> {
    let list = Array::from_unknown(stdio)?;
    for index in 0..list.len() {
        let entry = list.get_element(index)?;
        if kind(&entry)? == ValueType::String && text(&entry)? == "ipc" {
            return Ok(true);
        }
    }
    Ok(false)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Asynchronous,
    Synchronous,
}

/// The entries with their indices in the option. For the synchronous functions, Buffers and strings are left out, as by
/// the builtin: their input comes from `options.input`.
fn entries(context: &Context, stdio: Unknown, family: Family) -> Result<Vec<(u32, Entry)>> {
    if !is_truthy(&stdio)? {
        return Ok((0..).zip([Entry::Pipe; STANDARD as usize]).collect());
    }
    if kind(&stdio)? == ValueType::String {
        return Ok((0..).zip(shorthand(context, &stdio)?).collect());
    }
    if !stdio.is_array()? {
        return Err(context.invalid_value("stdio", &stdio, "is invalid"));
    }
    let list = Array::from_unknown(stdio)?;
    let mut plan = vec![];
    for index in 0..list.len().max(STANDARD) {
        if let Some(entry) = entry(context, list.get_element(index)?, index, family)? {
            plan.push((index, entry));
        }
    }
    Ok(plan)
}

fn entry(context: &Context, value: Unknown, index: u32, family: Family) -> Result<Option<Entry>> {
    let input = || match family {
        Family::Asynchronous => Err(context.invalid_input(&value)),
        Family::Synchronous => Ok(None),
    };
    let entry = match kind(&value)? {
        _ if is_nullish(&value)? => {
            if index < STANDARD {
                Entry::Pipe
            } else {
                Entry::Ignore
            }
        }
        ValueType::String => match text(&value)?.as_str() {
            "ignore" => Entry::Ignore,
            "pipe" | "overlapped" => Entry::Pipe,
            "ipc" => Entry::Channel,
            "inherit" => Entry::Inherit(index as RawFd),
            _ => return input(),
        },
        ValueType::Number => descriptor(context, &value)?,
        ValueType::Object | ValueType::Function => match object_entry(context, value)? {
            Some(entry) => entry,
            None if value.is_typedarray()? || value.is_dataview()? => return input(),
            None => return Err(context.invalid_value("stdio", &value, "is invalid")),
        },
        _ => return Err(context.invalid_value("stdio", &value, "is invalid")),
    };
    Ok(Some(entry))
}

/// A number in the option: a descriptor, or a pipe if it is negative, as with the builtin.
fn descriptor(context: &Context, value: &Unknown) -> Result<Entry> {
    let number = value.coerce_to_number()?;
    if number.get_double()? < 0.0 { Ok(Entry::Pipe) } else { inherited(context, value) }
}

/// A number as a descriptor of this process.
fn inherited(context: &Context, value: &Unknown) -> Result<Entry> {
    let number = value.coerce_to_number()?.get_double()?;
    if number.fract() == 0.0 && number.abs() <= f64::from(RawFd::MAX) {
        return Ok(Entry::Inherit(number as RawFd));
    }
    Err(context.invalid_value("stdio", value, "is invalid"))
}

fn object_entry(context: &Context, value: Unknown) -> Result<Option<Entry>> {
    let object = value.coerce_to_object()?;
    let fd = option(&object, c"fd")?;
    let inner = [option(&object, c"handle")?, option(&object, c"_handle")?];
    if is_handle(&object)? {
        return Ok(Some(Entry::Stream(handle_fd(&object)?)));
    }
    if kind(&fd)? == ValueType::Number {
        return inherited(context, &fd).map(Some);
    }
    // The handle of a server is not a stream.
    if kind(&option(&object, c"listen")?)? == ValueType::Function {
        return Ok(None);
    }
    for handle in inner {
        if kind(&handle)? == ValueType::Object {
            let handle = handle.coerce_to_object()?;
            if is_handle(&handle)? {
                return Ok(Some(Entry::Stream(handle_fd(&handle)?)));
            }
        }
    }
    Ok(None)
}

/// Whether `object` is one of libuv's stream or datagram handles.
fn is_handle(object: &Object) -> Result<bool> {
    let constructor = option(object, c"constructor")?;
    if kind(&constructor)? != ValueType::Function || !object.has_named_property("getAsyncId")? {
        return Ok(false);
    }
    let name = option(&constructor.coerce_to_object()?, c"name")?;
    Ok(kind(&name)? == ValueType::String && matches!(text(&name)?.as_str(), "Pipe" | "TTY" | "TCP" | "UDP"))
}

fn handle_fd(handle: &Object) -> Result<RawFd> {
    let fd = option(handle, c"fd")?;
    if kind(&fd)? == ValueType::Number { fd.coerce_to_number()?.get_int32() } else { Ok(-1) }
}
