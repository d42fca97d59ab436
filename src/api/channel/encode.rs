//! Encodes a message to bytes. Objects arrive as the text from `JSON.stringify`, or are serialised by V8
//! (`docs/decisions/codec.md`). Everything else is serialised here.

use std::os::fd::OwnedFd;

use napi::{Env, Result, Unknown, ValueType};

use crate::channel::internal::Reply;
use crate::channel::shared::Slots;
use crate::channel::word::{Content, Word};
use crate::channel::{Mode, json, v8};
use crate::engine;

/// The form of a message that is to be encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In json mode a string, a number, a boolean or null.
    Primitive,
    /// In json mode the JSON text of an object.
    Text,
    /// In advanced mode any value that V8 must serialise.
    Graph,
    /// A Buffer.
    Bytes,
    /// An ArrayBuffer.
    ArrayBuffer,
}

/// For a message in shared memory: the slot's descriptor if the slot is new, to be sent along with the word.
pub(super) type Shared = Option<OwnedFd>;

/// Appends a line with the JSON text of an object or a primitive value. With `slots`, the message may go to shared
/// memory, and a word is appended instead. Runs no JavaScript.
///
/// # Errors
/// An N-API failure.
pub(super) fn push_line(
    env: &Env,
    is_text: bool,
    message: &Unknown,
    out: &mut Vec<u8>,
    slots: Option<&mut Slots>,
) -> Result<Shared> {
    let start = out.len();
    if is_text {
        engine::push_utf8(env, message, out)?;
    } else {
        push_json(env, message, out)?;
    }
    let line = out.get(start..).unwrap_or_default();
    if let Some((place, fd)) = slots.and_then(|slots| slots.put(line, Content::Message)) {
        out.truncate(start);
        push_word(Mode::Json, &place.word(), out);
        return Ok(fd);
    }
    out.push(b'\n');
    Ok(None)
}

/// Appends a frame that contains these bytes. With `slots`, they may go to shared memory, and a word is appended
/// instead.
///
/// # Errors
/// The message is too long for a frame.
pub(super) fn push_bytes(
    bytes: &[u8],
    content: Content,
    out: &mut Vec<u8>,
    slots: Option<&mut Slots>,
) -> Result<Shared> {
    if let Some((place, fd)) = slots.and_then(|slots| slots.put(bytes, content)) {
        push_word(Mode::Advanced, &place.word(), out);
        return Ok(fd);
    }
    let start = begin_frame(out);
    push_content(bytes, content, out);
    end_frame(out, start)?;
    Ok(None)
}

/// Appends the content of a frame.
fn push_content(bytes: &[u8], content: Content, out: &mut Vec<u8>) {
    match content {
        Content::Message => out.extend_from_slice(bytes),
        Content::Buffer => {
            v8::push_header(out);
            v8::push_buffer(out, bytes);
        }
        Content::ArrayBuffer => {
            v8::push_header(out);
            v8::push_array_buffer(out, bytes);
        }
    }
}

fn push_json(env: &Env, message: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    match engine::kind(message)? {
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

/// Appends a message that was in a slot, announced by a word, in the form for the socket.
pub(super) fn push_inline(mode: Mode, slot: u32, content: Content, bytes: &[u8], out: &mut Vec<u8>) {
    push_word(mode, &Word::Inline { slot }, out);
    match mode {
        Mode::Json => {
            out.extend_from_slice(bytes);
            out.push(b'\n');
        }
        Mode::Advanced => push_frame(out, |out| push_content(bytes, content, out)),
    }
}

/// Appends a word.
pub(super) fn push_word(mode: Mode, word: &Word, out: &mut Vec<u8>) {
    match mode {
        Mode::Json => {
            word.push(out);
            out.push(b'\n');
        }
        Mode::Advanced => push_frame(out, |out| word.push(out)),
    }
}

/// Appends a reply about a handle, for a builtin end.
pub(super) fn push_reply(mode: Mode, reply: Reply, out: &mut Vec<u8>) {
    match mode {
        Mode::Json => {
            out.extend_from_slice(reply.to_json().as_bytes());
            out.push(b'\n');
        }
        Mode::Advanced => push_frame(out, |out| {
            v8::push_header(out);
            v8::push_object(out, "cmd", reply.command());
        }),
    }
}

/// Appends a frame whose content is known to fit.
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
