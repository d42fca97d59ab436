//! What an end makes of the messages that have come: they are decoded, told to JavaScript, or, where two native ends say them to one
//! another, heeded here.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, Result, Unknown};

use super::decode::{self, Broken, Codec, Decoded, Fault};
use super::events::{Event, Listener};
use super::{Channel, encode};
use crate::channel::internal::Reply;
use crate::channel::missing::Missing;
use crate::channel::reader::Delivery;
use crate::channel::shared::{Bytes, Place};
use crate::channel::word::{Content, Word};
use crate::channel::{Mode, v8};
use crate::engine::{self, Memory, Part, Wrapper};

impl Channel {
    pub(super) fn deliver_messages(
        self: &Rc<Self>,
        env: &Env,
        listener: &Listener,
        messages: &[Range<usize>],
    ) -> std::result::Result<(), Fault> {
        let mut rest = messages;
        while !rest.is_empty() {
            // One that comes again is delivered in its own place.
            let is_alone = self.reader.gaps.borrow().expects_again();
            let length = if is_alone { 1 } else { decode::run(&self.reader.inbox.borrow(), self.mode, rest) };
            let (run, after) = rest.split_at(length);
            self.reader.delivery.set(if after.is_empty() { Delivery::Last } else { Delivery::HasMore });
            let delivered = engine::with_scope(env, || {
                if self.deliver_in_place(env, listener, run) {
                    Ok(())
                } else {
                    self.deliver_run(env, listener, run)
                }
            });
            self.reader.descriptors.borrow_mut().message_is_over();
            delivered.unwrap_or(Ok(()))?;
            rest = after;
        }
        Ok(())
    }

    /// Delivers a large Buffer in the very memory that it was read into, where it is alone there. Says whether it was.
    fn deliver_in_place(&self, env: &Env, listener: &Listener, run: &[Range<usize>]) -> bool {
        let ([message], Mode::Advanced) = (run, self.mode) else {
            return false;
        };
        let content = v8::buffer(self.reader.inbox.borrow().bytes(message)).map(<[u8]>::len);
        let Some(length) = content else {
            return false;
        };
        let Some(buffer) = self.reader.inbox.borrow_mut().give_away(message) else {
            return false;
        };
        let part = Part { memory: Memory::Vector(buffer), range: message.end - length..message.end };
        let value = engine::adopt_bytes(env, part, Wrapper::Buffer);
        self.deliver_one(env, listener, value, self.take_again());
        true
    }

    /// Delivers messages that can be decoded together.
    fn deliver_run(
        self: &Rc<Self>,
        env: &Env,
        listener: &Listener,
        run: &[Range<usize>],
    ) -> std::result::Result<(), Fault> {
        let decoded = self.with_codec(|codec| decode::decode(env, codec, &self.reader.inbox.borrow(), run));
        decoded.into_iter().try_for_each(|decoded| self.deliver_decoded(env, listener, decoded))
    }

    fn with_codec<T>(&self, decode: impl FnOnce(&Codec) -> T) -> T {
        let reads_words = self.peer.borrow().may_be_native();
        decode(&Codec { node: &self.node, mode: self.mode, reads_words })
    }

    fn deliver_decoded(
        self: &Rc<Self>,
        env: &Env,
        listener: &Listener,
        decoded: Decoded,
    ) -> std::result::Result<(), Fault> {
        let again = if matches!(decoded, Decoded::Word(_)) { None } else { self.take_again() };
        match decoded {
            Decoded::Messages(array) => self.tell_with(env, listener, Event::Messages, &array, again),
            Decoded::Internal(value, command) => {
                if let Some(reply) = Reply::from_command(&command) {
                    self.hear_reply(env, listener, reply);
                }
                self.hear_of_sockets(env, &command, &value);
                self.tell_with(env, listener, Event::Internal, &value, again);
            }
            Decoded::Handle(value) => {
                let fd = self.next_fd();
                return self.deliver_handle(env, listener, &value, fd, again);
            }
            Decoded::Broken(why) => self.tell_broken(env, listener, &why, again),
            Decoded::Word(word) => return self.hear(env, listener, word),
        }
        Ok(())
    }

    /// The other end has said something that only native ends say.
    fn hear(self: &Rc<Self>, env: &Env, listener: &Listener, word: Word) -> std::result::Result<(), Fault> {
        match word {
            Word::Hello { secret } => {
                let introduced = self.peer.borrow_mut().introduced(&secret);
                introduced.map_err(|_| Fault::Protocol("it introduced itself with a wrong secret"))?;
                self.writer.borrow_mut().outbox.handles.pipeline();
                Ok(())
            }
            _ if !self.peer.borrow().is_native() => {
                Err(Fault::Protocol("it spoke before it had introduced itself"))
            }
            Word::Taken { slot } => {
                self.slots.borrow_mut().taken(slot);
                Ok(())
            }
            Word::NotTaken { slot } => {
                self.send_inline(slot);
                Ok(())
            }
            Word::Inline { slot } => {
                self.reader.gaps.borrow_mut().comes_again(Missing::Slot(slot));
                Ok(())
            }
            Word::Forget { slot } => {
                self.views.borrow_mut().forget(slot);
                Ok(())
            }
            Word::Shared { slot, content, bytes, size } => {
                let (length, size) = (bytes as usize, size.map(|size| size as usize));
                self.deliver_shared(env, listener, Place { slot, content, length, size })
            }
            word => {
                self.hear_of_handles(env, listener, &word);
                Ok(())
            }
        }
    }

    fn take_again(&self) -> Option<Missing> {
        self.reader.gaps.borrow_mut().take_again()
    }

    /// Something is to be delivered: now, or in the place of what was missing.
    pub(super) fn tell_with(
        &self,
        env: &Env,
        listener: &Listener,
        event: Event,
        value: &Unknown,
        again: Option<Missing>,
    ) {
        if let Some(missing) = again {
            self.reader.gaps.borrow_mut().fill(missing);
        }
        match again.and_then(|missing| engine::number(env, missing.key()).ok()) {
            Some(key) => listener.tell(env, event, [value, &key]),
            None => listener.tell(env, event, [value]),
        }
    }

    pub(super) fn tell_broken(&self, env: &Env, listener: &Listener, why: &Broken, again: Option<Missing>) {
        let why = match why {
            Broken::Thrown(error) => Ok(*error),
            Broken::TooLong => engine::undefined(env),
            Broken::Protocol(reason) => engine::string(env, reason.as_bytes()),
        };
        if let Ok(why) = why {
            self.tell_with(env, listener, Event::Broken, &why, again);
        }
    }

    /// Something has not come, and will come again: what comes after it waits.
    ///
    /// # Errors
    /// More is missing than can be under way.
    pub(super) fn tell_missing(
        &self,
        env: &Env,
        listener: &Listener,
        missing: Missing,
    ) -> std::result::Result<(), Fault> {
        let is_new = self.reader.gaps.borrow_mut().note(missing);
        if is_new.map_err(|_| Fault::Protocol("more is missing than can be under way"))?
            && let Ok(key) = engine::number(env, missing.key())
        {
            listener.tell(env, Event::Missing, [&key]);
        }
        Ok(())
    }

    /// The descriptor that has come with the message that is being delivered.
    fn next_fd(&self) -> Option<OwnedFd> {
        self.reader.descriptors.borrow_mut().take()
    }

    /// Delivers bytes out of shared memory.
    fn deliver_shared(
        self: &Rc<Self>,
        env: &Env,
        listener: &Listener,
        place: Place,
    ) -> std::result::Result<(), Fault> {
        let fd = place.size.and_then(|_| self.next_fd());
        if place.length > self.reader.inbox.borrow().limit() {
            return Err(Fault::TooLong);
        }
        let bytes = self.views.borrow_mut().take(place, fd);
        let Some(bytes) = bytes else {
            self.views.borrow_mut().forget(place.slot);
            self.send_word(&Word::NotTaken { slot: place.slot });
            return self.tell_missing(env, listener, Missing::Slot(place.slot));
        };
        self.send_word(&Word::Taken { slot: place.slot });
        let value = match place.content {
            Content::Message => {
                let decoded = self.with_codec(|codec| decode::decode_shared(env, codec, bytes));
                return decoded.map_or(Ok(()), |decoded| self.deliver_decoded(env, listener, decoded));
            }
            Content::Buffer => engine::adopt_bytes(env, whole(bytes), Wrapper::Buffer),
            Content::ArrayBuffer => engine::adopt_bytes(env, whole(bytes), Wrapper::ArrayBuffer),
        };
        self.deliver_one(env, listener, value, None);
        Ok(())
    }

    /// Sends a message through the socket that the other end could not take out of shared memory.
    pub(super) fn send_inline(&self, slot: u32) {
        let message = self.slots.borrow_mut().not_taken(slot);
        if let Some((content, bytes)) = message {
            let mut out = vec![];
            encode::push_inline(self.mode, slot, content, &bytes, &mut out);
            self.send_urgent(&out);
        }
    }

    /// Delivers one message.
    fn deliver_one(&self, env: &Env, listener: &Listener, value: Result<Unknown>, again: Option<Missing>) {
        // Failures are those of an environment that goes away.
        if let Ok(array) = value.and_then(|value| engine::array(env, &[value])) {
            self.tell_with(env, listener, Event::Messages, &array, again);
        }
    }

    pub(super) fn tell<const N: usize>(&self, env: &Env, event: Event, arguments: [&Unknown; N]) {
        let listener = self.listener.borrow().clone();
        if let Some(listener) = listener {
            listener.tell(env, event, arguments);
        }
    }
}

fn whole(bytes: Bytes) -> Part {
    Part::whole(match bytes {
        Bytes::Small(bytes) => Memory::Vector(bytes),
        Bytes::Large(mapping) => Memory::Mapping(Arc::new(mapping)),
    })
}
