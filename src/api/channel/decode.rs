//! Decodes bytes to messages. Many small JSON lines are parsed in one call of `JSON.parse`, which costs less than a
//! call for each. Many small values in V8's format are read one by one, and delivered together.

use std::cell::RefCell;
use std::ops::Range;

use napi::{Env, Result, Status, Unknown, ValueType};

use super::Node;
use crate::channel::inbox::{Inbox, TooLong};
use crate::channel::internal;
use crate::channel::shared::Bytes;
use crate::channel::word::Word;
use crate::channel::{Mode, json, v8};
use crate::engine;

/// A message of more bytes than this is decoded alone.
const SMALL: usize = 16 * 1024;

/// The most bytes of messages that are decoded together. V8 allocates longer strings in a separate space, which costs
/// more.
const TOGETHER: usize = 64 * 1024;

thread_local! {
    /// The buffer in which lines are joined.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::default();
}

/// A decoded message.
pub(super) enum Decoded<'a> {
    /// An array of messages for the program.
    Messages(Unknown<'a>),
    /// An internal message, with its `cmd`.
    Internal(Unknown<'a>, String),
    /// An internal message that announces a descriptor.
    Handle(Unknown<'a>),
    /// A word from a native end.
    Word(Word),
    /// An invalid message.
    Broken(Broken<'a>),
}

/// Why a message is invalid.
pub(super) enum Broken<'a> {
    /// Decoding threw this.
    Thrown(Unknown<'a>),
    /// It is longer than `maxMessageSize`, or than a string can be.
    TooLong,
    /// The other end violates the protocol; the text says how.
    Protocol(&'static str),
}

/// An error that ends the channel.
pub(super) type Fault = Broken<'static>;

impl From<TooLong> for Fault {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}

/// How messages are decoded.
pub(super) struct Codec<'a> {
    pub node: &'a Node,
    pub mode: Mode,
    /// Whether the other end is, or is expected to be, native.
    pub reads_words: bool,
}

/// How many of the first `messages` can be decoded together; at least 1.
pub(super) fn run(inbox: &Inbox, mode: Mode, messages: &[Range<usize>]) -> usize {
    let Some(first) = messages.first() else {
        return 0;
    };
    let near = messages.partition_point(|message| message.end <= first.start + TOGETHER).max(1);
    let messages = messages.get(..near).unwrap_or_default();
    let last = messages.last().unwrap_or(first);
    let together = inbox.bytes(&(first.start..last.end));
    let fits = |message: &&Range<usize>| message.len() <= SMALL && is_simple(mode, inbox.bytes(message));
    let count = match mode {
        // All of them are searched at once, because internal messages are rare.
        Mode::Json if !internal::may_be_among(together) => messages.iter().take_while(fits).count(),
        Mode::Json => messages
            .iter()
            .take_while(|message| fits(message) && !internal::may_be_among(inbox.bytes(message)))
            .count(),
        Mode::Advanced => messages
            .iter()
            .take_while(|message| fits(message) && !internal::may_be_in_serialized(inbox.bytes(message)))
            .count(),
    };
    count.max(1)
}

/// Whether a message is not a word, and in json mode also can be joined with others.
fn is_simple(mode: Mode, message: &[u8]) -> bool {
    match mode {
        Mode::Json => json::is_closed(message),
        Mode::Advanced => message.first() == Some(&v8::HEADER),
    }
}

/// Decodes messages for which [`run`] has said that they can be decoded together.
pub(super) fn decode<'a>(
    env: &'a Env,
    codec: &Codec,
    inbox: &Inbox,
    run: &[Range<usize>],
) -> Vec<Decoded<'a>> {
    if run.len() > 1 {
        let together = match codec.mode {
            Mode::Json => decode_lines(env, codec.node, inbox, run),
            Mode::Advanced => decode_values(env, codec.node, inbox, run),
        };
        if let Some(together) = together {
            return vec![Decoded::Messages(together)];
        }
    }
    let decode = |message| {
        let bytes = inbox.bytes(message);
        match Word::read(bytes).filter(|_| codec.reads_words) {
            Some(word) => Some(Decoded::Word(word)),
            None => decode_one(env, codec, bytes),
        }
    };
    run.iter().filter_map(decode).collect()
}

/// Decodes lines together. `None`: they must be decoded one by one.
fn decode_lines<'a>(env: &'a Env, node: &Node, inbox: &Inbox, run: &[Range<usize>]) -> Option<Unknown<'a>> {
    let joined = SCRATCH.with_borrow_mut(|bytes| {
        bytes.clear();
        json::join(bytes, run.iter().map(|message| inbox.bytes(message)));
        engine::string(env, bytes)
    });
    let Ok(value) = engine::call(env, &node.parse, [&joined.ok()?]) else {
        let _ = engine::take_exception(env);
        return None;
    };
    (engine::length(env, &value).ok()? as usize == run.len()).then_some(value)
}

/// Reads values in V8's format. `None`: one of them is invalid, so they must be decoded one by one.
fn decode_values<'a>(env: &'a Env, node: &Node, inbox: &Inbox, run: &[Range<usize>]) -> Option<Unknown<'a>> {
    let values: Result<Vec<_>> = run.iter().map(|message| value(env, node, inbox.bytes(message))).collect();
    match values {
        Ok(values) => engine::array(env, &values).ok(),
        Err(_) => {
            let _ = engine::take_exception(env);
            None
        }
    }
}

/// Deserialises a value in V8's format.
fn value<'a>(env: &'a Env, node: &Node, bytes: &[u8]) -> Result<Unknown<'a>> {
    match v8::buffer(bytes) {
        Some(content) => engine::buffer(env, content),
        None => node.serialization(env)?.read(env, bytes),
    }
}

/// Decodes one message. `None`: the environment is shutting down.
fn decode_one<'a>(env: &'a Env, codec: &Codec, bytes: &[u8]) -> Option<Decoded<'a>> {
    or_broken(
        env,
        match codec.mode {
            Mode::Json => decode_json(env, codec.node, bytes),
            Mode::Advanced => decode_v8(env, codec.node, bytes),
        },
    )
}

/// Decodes a message from shared memory. `None`: the environment is shutting down.
pub(super) fn decode_shared<'a>(env: &'a Env, codec: &Codec, bytes: Bytes) -> Option<Decoded<'a>> {
    let node = codec.node;
    let decoded = match codec.mode {
        Mode::Json => decode_json(env, node, bytes.bytes()),
        Mode::Advanced => {
            let may_be_internal = internal::may_be_in_serialized(bytes.bytes());
            // Large Buffers in the message keep using this memory.
            node.serialization(env)
                .and_then(|serialization| serialization.read_shared(env, bytes))
                .and_then(|value| if may_be_internal { classify(env, value) } else { message(env, &value) })
        }
    };
    or_broken(env, decoded)
}

fn or_broken<'a>(env: &'a Env, decoded: Result<Decoded<'a>>) -> Option<Decoded<'a>> {
    match decoded {
        Ok(decoded) => Some(decoded),
        Err(error) if error.status == Status::PendingException => {
            engine::take_exception(env).map(|error| Decoded::Broken(Broken::Thrown(error)))
        }
        // Longer than V8's longest string.
        Err(_) => Some(Decoded::Broken(Broken::TooLong)),
    }
}

fn decode_json<'a>(env: &'a Env, node: &Node, text: &[u8]) -> Result<Decoded<'a>> {
    let command = internal::command(text);
    let value = engine::call(env, &node.parse, [&engine::string(env, text)?])?;
    match command.as_ref().map(Option::as_deref) {
        Ok(Some(internal::HANDLE)) => Ok(Decoded::Handle(value)),
        Ok(Some(command)) => Ok(Decoded::Internal(value, command.to_owned())),
        Ok(None) => message(env, &value),
        Err(_) => classify(env, value),
    }
}

fn decode_v8<'a>(env: &'a Env, node: &Node, bytes: &[u8]) -> Result<Decoded<'a>> {
    let value = value(env, node, bytes)?;
    if internal::may_be_in_serialized(bytes) { classify(env, value) } else { message(env, &value) }
}

/// Determines whether a value is an internal message.
fn classify<'a>(env: &'a Env, value: Unknown<'a>) -> Result<Decoded<'a>> {
    if engine::kind(&value)? != ValueType::Object {
        return message(env, &value);
    }
    let cmd = engine::property(env, &value, c"cmd")?;
    if engine::kind(&cmd)? != ValueType::String {
        return message(env, &value);
    }
    let mut name = vec![];
    engine::push_utf8(env, &cmd, &mut name)?;
    let name = String::from_utf8_lossy(&name);
    if name == internal::HANDLE {
        Ok(Decoded::Handle(value))
    } else if internal::is_internal(&name) {
        Ok(Decoded::Internal(value, name.into_owned()))
    } else {
        message(env, &value)
    }
}

/// Wraps a single message.
pub(super) fn message<'a>(env: &'a Env, value: &Unknown<'a>) -> Result<Decoded<'a>> {
    Ok(Decoded::Messages(engine::array(env, &[*value])?))
}
