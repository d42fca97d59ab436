//! A message → its bytes. Strings, numbers, booleans, null and Buffers are written here; object graphs come as the text or
//! the bytes that the engine has made of them (`docs/decisions/codec.md`).

use std::os::fd::OwnedFd;

use napi::{Env, Result, Unknown, ValueType};

use crate::channel::internal::Reply;
use crate::channel::shared::Slots;
use crate::channel::word::{Content, Word};
use crate::channel::{Mode, json, v8};
use crate::engine;

/// In what form JavaScript hands a message over; `lib/link.js` has the same numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Form {
    /// A string, a number, a boolean or null.
    Plain,
    /// The JSON text of an object.
    Text,
    /// A Buffer of serialised bytes with their header.
    Serialized,
    /// The JSON text of an object that V8 would serialise to the same tree.
    Tree,
    /// A Buffer.
    Bytes,
    /// An ArrayBuffer.
    ArrayBuffer,
}

impl Form {
    pub fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Plain,
            1 => Self::Text,
            2 => Self::Serialized,
            3 => Self::Tree,
            4 => Self::Bytes,
            _ => Self::ArrayBuffer,
        }
    }
}

/// Appends a message with what separates it from the next. No JavaScript runs meanwhile.
///
/// # Errors
/// An N-API failure; the message is longer than its length can say.
pub(super) fn push(env: &Env, mode: Mode, form: Form, message: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    match mode {
        Mode::Json => {
            match form {
                Form::Plain => push_json(env, message, out)?,
                _ => engine::push_utf8(env, message, out)?,
            }
            out.push(b'\n');
        }
        Mode::Advanced => {
            let start = begin_frame(out);
            push_v8(env, form, message, out)?;
            end_frame(out, start)?;
        }
    }
    Ok(())
}

fn push_json(env: &Env, message: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    match engine::kind(env, message)? {
        ValueType::String => {
            let start = out.len();
            engine::push_utf8(env, message, out)?;
            if json::may_have_lost(out.get(start..).unwrap_or_default()) {
                out.truncate(start);
                json::push_utf16(out, &engine::utf16(env, message)?);
            } else {
                json::quote(out, start);
            }
        }
        ValueType::Number => json::push_number(out, engine::to_f64(env, message)?),
        ValueType::Boolean => {
            out.extend_from_slice(if engine::to_bool(env, message)? { b"true" } else { b"false" });
        }
        _ => out.extend_from_slice(b"null"),
    }
    Ok(())
}

fn push_v8(env: &Env, form: Form, message: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    if form == Form::Serialized {
        engine::with_bytes(env, message, |bytes| out.extend_from_slice(bytes));
        return Ok(());
    }
    v8::push_header(out);
    match form {
        Form::Bytes => {
            engine::with_bytes(env, message, |bytes| v8::push_view(out, v8::BUFFER, bytes));
        }
        Form::ArrayBuffer => {
            engine::with_array_buffer(env, message, |bytes| v8::push_array_buffer(out, bytes));
        }
        Form::Tree => {
            let mut text = vec![];
            engine::push_utf8(env, message, &mut text)?;
            v8::push_json(out, &text)
                .ok_or_else(|| napi::Error::from_reason("no JSON text of the engine's"))?;
        }
        _ => match engine::kind(env, message)? {
            ValueType::String => v8::push_string(out, &engine::utf16(env, message)?),
            ValueType::Number => v8::push_number(out, engine::to_f64(env, message)?),
            ValueType::Boolean => out.push(if engine::to_bool(env, message)? { b'T' } else { b'F' }),
            _ => out.push(b'0'),
        },
    }
    Ok(())
}

/// Puts a large Buffer or ArrayBuffer into shared memory and appends the word for it; gives the descriptor to be sent along.
/// `None`: it goes as any other message.
pub(super) fn share(
    env: &Env,
    form: Form,
    message: &Unknown,
    slots: &mut Slots,
    out: &mut Vec<u8>,
) -> Option<Option<OwnedFd>> {
    let (place, fd) = match form {
        Form::Bytes => engine::with_bytes(env, message, |bytes| slots.put(bytes, Content::Buffer)),
        Form::ArrayBuffer => {
            engine::with_array_buffer(env, message, |bytes| slots.put(bytes, Content::ArrayBuffer))
        }
        _ => return None,
    }
    .flatten()?;
    push_word(Mode::Advanced, &place.word(), out);
    Some(fd)
}

/// Puts a large message, which begins at `start` of `out`, into shared memory and leaves the word for it in its place.
pub(super) fn share_message(
    mode: Mode,
    slots: &mut Slots,
    out: &mut Vec<u8>,
    start: usize,
) -> Option<Option<OwnedFd>> {
    let content = match mode {
        Mode::Json => start..out.len() - 1,
        Mode::Advanced => start + PREFIX..out.len(),
    };
    let (place, fd) = slots.put(out.get(content)?, Content::Message)?;
    out.truncate(start);
    push_word(mode, &place.word(), out);
    Some(fd)
}

/// Appends the message that was in a slot, as it would have gone through the socket at first.
pub(super) fn push_inline(mode: Mode, slot: u32, content: Content, bytes: &[u8], out: &mut Vec<u8>) {
    push_word(mode, &Word::Inline { slot }, out);
    match (mode, content) {
        (Mode::Json, _) => {
            out.extend_from_slice(bytes);
            out.push(b'\n');
        }
        (Mode::Advanced, Content::Message) => push_frame(out, |out| out.extend_from_slice(bytes)),
        (Mode::Advanced, Content::Buffer) => push_frame(out, |out| {
            v8::push_header(out);
            v8::push_view(out, v8::BUFFER, bytes);
        }),
        (Mode::Advanced, Content::ArrayBuffer) => push_frame(out, |out| {
            v8::push_header(out);
            v8::push_array_buffer(out, bytes);
        }),
    }
}

/// Appends a word of the private protocol.
pub(super) fn push_word(mode: Mode, word: &Word, out: &mut Vec<u8>) {
    match mode {
        Mode::Json => {
            word.push(out);
            out.push(b'\n');
        }
        Mode::Advanced => push_frame(out, |out| word.push(out)),
    }
}

/// Appends what a builtin end is told of a handle.
pub(super) fn push_reply(mode: Mode, reply: Reply, out: &mut Vec<u8>) {
    let text = reply.to_json();
    match mode {
        Mode::Json => {
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
        }
        Mode::Advanced => push_frame(out, |out| {
            v8::push_header(out);
            // It is JSON.
            let _ = v8::push_json(out, text.as_bytes());
        }),
    }
}

/// Appends a frame that is shorter than the longest one.
fn push_frame(out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    let start = begin_frame(out);
    push(out);
    let _ = end_frame(out, start);
}

const PREFIX: usize = size_of::<u32>();

fn begin_frame(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; PREFIX]);
    out.len()
}

fn end_frame(out: &mut [u8], start: usize) -> Result<()> {
    let length = u32::try_from(out.len() - start)
        .map_err(|_| napi::Error::from_reason("a message of 4 GiB or more cannot be sent"))?;
    if let Some(prefix) = out.get_mut(start - PREFIX..start) {
        prefix.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}
