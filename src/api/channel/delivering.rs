//! Delivers received messages: decodes them and reports them to JavaScript. Words from a native end are processed
//! here instead.

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
            // A message that was sent again is delivered alone, at its original place in the order.
            let is_alone = self.reader.gaps.borrow().expects_resent();
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

    /// Delivers a large Buffer without copying it, if the inbox can give away its memory. Returns whether it did.
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
        self.deliver_one(env, listener, value, self.take_resent());
        true
    }

    /// Decodes messages together and delivers them.
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
        let resent = if matches!(decoded, Decoded::Word(_)) { None } else { self.take_resent() };
        match decoded {
            Decoded::Messages(array) => self.emit_with_key(env, listener, Event::Messages, &array, resent),
            Decoded::Internal(value, command) => {
                if let Some(reply) = Reply::from_command(&command) {
                    self.process_reply(env, listener, reply);
                }
                self.process_socket_message(env, &command, &value);
                self.emit_with_key(env, listener, Event::Internal, &value, resent);
            }
            Decoded::Handle(value) => {
                let fd = self.next_fd();
                return self.deliver_handle(env, listener, &value, fd, resent);
            }
            Decoded::Broken(why) => self.emit_broken(env, listener, &why, resent),
            Decoded::Word(word) => return self.process_word(env, listener, word),
        }
        Ok(())
    }

    /// Processes a word from the other end.
    fn process_word(
        self: &Rc<Self>,
        env: &Env,
        listener: &Listener,
        word: Word,
    ) -> std::result::Result<(), Fault> {
        match word {
            Word::Hello { secret } => {
                let introduced = self.peer.borrow_mut().introduced(&secret);
                introduced.map_err(|_| Fault::Protocol("it introduced itself with a wrong secret"))?;
                self.become_native();
                Ok(())
            }
            _ if !self.peer.borrow().is_native() => {
                Err(Fault::Protocol("it sent a word before it had introduced itself"))
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
                self.reader.gaps.borrow_mut().expect_resent(Missing::Slot(slot));
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
                self.process_handle_word(env, listener, &word);
                Ok(())
            }
        }
    }

    fn take_resent(&self) -> Option<Missing> {
        self.reader.gaps.borrow_mut().take_resent()
    }

    /// Reports an event. If it is about a message that was missing (`resent`), also passes the key of its place in
    /// the queue.
    pub(super) fn emit_with_key(
        &self,
        env: &Env,
        listener: &Listener,
        event: Event,
        value: &Unknown,
        resent: Option<Missing>,
    ) {
        if let Some(missing) = resent {
            self.reader.gaps.borrow_mut().fill(missing);
        }
        match resent.and_then(|missing| engine::number(env, missing.key()).ok()) {
            Some(key) => listener.emit(env, event, [value, &key]),
            None => listener.emit(env, event, [value]),
        }
    }

    pub(super) fn emit_broken(&self, env: &Env, listener: &Listener, why: &Broken, resent: Option<Missing>) {
        let why = match why {
            Broken::Thrown(error) => Ok(*error),
            Broken::TooLong => engine::undefined(env),
            Broken::Protocol(reason) => engine::string(env, reason.as_bytes()),
        };
        if let Ok(why) = why {
            self.emit_with_key(env, listener, Event::Broken, &why, resent);
        }
    }

    /// Reports that something is missing and will be sent again. JavaScript holds back later messages until then.
    ///
    /// # Errors
    /// More is missing than can be in flight.
    pub(super) fn emit_missing(
        &self,
        env: &Env,
        listener: &Listener,
        missing: Missing,
    ) -> std::result::Result<(), Fault> {
        let is_new = self.reader.gaps.borrow_mut().note(missing);
        if is_new.map_err(|_| Fault::Protocol("more is missing than can be in flight"))?
            && let Ok(key) = engine::number(env, missing.key())
        {
            listener.emit(env, Event::Missing, [&key]);
        }
        Ok(())
    }

    /// Takes the descriptor that came with the current message.
    fn next_fd(&self) -> Option<OwnedFd> {
        self.reader.descriptors.borrow_mut().take()
    }

    /// Delivers a message from shared memory.
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
            return self.emit_missing(env, listener, Missing::Slot(place.slot));
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

    /// The other end could not copy the message out of this slot: sends it through the socket.
    pub(super) fn send_inline(&self, slot: u32) {
        let message = self.slots.borrow_mut().not_taken(slot);
        if let Some((content, bytes)) = message {
            let mut out = vec![];
            encode::push_inline(self.mode, slot, content, &bytes, &mut out);
            self.send_urgent(&out);
        }
    }

    /// Delivers one message.
    fn deliver_one(&self, env: &Env, listener: &Listener, value: Result<Unknown>, resent: Option<Missing>) {
        // Fails only while the environment shuts down.
        if let Ok(array) = value.and_then(|value| engine::array(env, &[value])) {
            self.emit_with_key(env, listener, Event::Messages, &array, resent);
        }
    }

    pub(super) fn emit<const N: usize>(&self, env: &Env, event: Event, arguments: [&Unknown; N]) {
        let listener = self.listener.borrow().clone();
        if let Some(listener) = listener {
            listener.emit(env, event, arguments);
        }
    }
}

fn whole(bytes: Bytes) -> Part {
    Part::whole(match bytes {
        Bytes::Small(bytes) => Memory::Vector(bytes),
        Bytes::Large(mapping) => Memory::Mapping(Arc::new(mapping)),
    })
}
