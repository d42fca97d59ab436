//! What an end receives: from the socket into its inbox, and from there to JavaScript.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use napi::{Env, Result, Unknown};

use super::decode::{self, Broken, Codec, Decoded, Fault};
use super::{Channel, Corked, Phase, ROOM, encode};
use crate::channel::ancillary;
use crate::channel::missing::Missing;
use crate::channel::shared::Place;
use crate::channel::word::{Content, Word};
use crate::channel::{Mode, v8};
use crate::engine::{self, Held, Part, Wrapper};
use crate::reactor::Callback;
use crate::sys::Received;

/// A channel keeps the loop from its other events for this long at most.
const TURN: Duration = Duration::from_millis(1);

/// What one look at the socket gave.
enum Look {
    /// Messages or parts of some.
    Some {
        may_be_more: bool,
    },
    None,
    End,
}

impl Channel {
    /// The socket may be ready. `is_over`: nothing more will come than is there now.
    pub(super) fn advance(&self, env: &Env, is_over: bool) {
        if self.is_full.replace(false) {
            self.write_and_tell(env);
        }
        match self.phase.get() {
            Phase::Open => {
                self.receive(env, is_over);
            }
            Phase::Closing => self.drain(),
            Phase::Closed => {}
        }
    }

    /// Delivers what has come, if anything has. Says whether.
    pub(super) fn advance_if_ready(&self, env: &Env) -> bool {
        self.phase.get() == Phase::Open && !self.is_full.get() && self.receive(env, false)
    }

    /// Reads and delivers until there is no more. Says whether there was anything.
    fn receive(&self, env: &Env, is_over: bool) -> bool {
        if self.is_deaf.get() {
            return false;
        }
        let begun = Instant::now();
        let mut look = self.look();
        let is_ready = !matches!(look, Look::None);
        if is_ready {
            self.spin.borrow_mut().arrived(begun);
        }
        while let Look::Some { may_be_more } = look {
            self.has_sent.set(false);
            self.deliver(env);
            if self.phase.get() != Phase::Open || self.is_deaf.get() {
                return true;
            }
            let is_answered = self.has_sent.get() && self.spin.borrow().is_on();
            look = if (may_be_more || is_answered) && begun.elapsed() > TURN {
                self.call_again();
                return true;
            } else if may_be_more {
                self.look()
            } else if is_answered {
                self.look_longer(begun, is_over)
            } else {
                self.look_if_over(is_over)
            };
        }
        if matches!(look, Look::End) {
            self.is_deaf.set(true);
            self.tell_end(env);
        }
        is_ready
    }

    /// Reads once.
    fn look(&self) -> Look {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return Look::None;
        };
        let mut inbox = self.inbox.borrow_mut();
        let is_partial = inbox.is_partial();
        let room = inbox.room();
        let size = room.len();
        let mut fds = vec![];
        match ROOM.with_borrow_mut(|rights| ancillary::receive(socket.as_fd(), room, rights, &mut fds)) {
            Ok(Received { length: 0, .. }) => Look::End,
            Ok(received) => {
                inbox.add(received.length);
                let mut queue = self.fds.borrow_mut();
                if is_partial && !fds.is_empty() && queue.is_empty() {
                    self.fds_are_later.set(true);
                }
                queue.extend(fds);
                // Less than asked for: there was no more.
                Look::Some { may_be_more: received.length == size || received.is_cut }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Look::None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Look::Some { may_be_more: true },
            // Short of memory for now.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOMEM | libc::ENOBUFS)) => {
                self.call_again();
                Look::None
            }
            // ECONNRESET: the other end is gone and has not read everything.
            Err(_) => Look::End,
        }
    }

    /// What comes after a read that found no more the reactor tells of; but it may have told of the end already.
    fn look_if_over(&self, is_over: bool) -> Look {
        if is_over { self.look() } else { Look::None }
    }

    /// Looks longer for the answer to an answer that has just been sent, where such come quickly.
    fn look_longer(&self, begun: Instant, is_over: bool) -> Look {
        let now = Instant::now();
        let Some(time) = self.spin.borrow_mut().answer(now) else {
            return self.look_if_over(is_over);
        };
        let until = (now + time).min(begun + TURN);
        loop {
            let look = self.look();
            if !matches!(look, Look::None) {
                self.spin.borrow_mut().found();
                return look;
            }
            if Instant::now() > until {
                self.spin.borrow_mut().missed();
                return Look::None;
            }
            std::hint::spin_loop();
        }
    }

    /// Has the rest read in the next turn of the loop.
    pub(super) fn call_again(&self) {
        if self.watch().is_err() {
            self.is_unwatched.set(true);
            self.watch_age();
        }
    }

    /// Delivers every message that is complete, each in a tick of its own.
    fn deliver(&self, env: &Env) {
        let mut messages = vec![];
        let taken = self.inbox.borrow_mut().take(&mut messages);
        // A count of our own: what JavaScript does may close this channel, but what came before is told.
        let callback = self.callback.borrow().clone();
        let Some(callback) = callback else {
            return;
        };
        self.views.borrow_mut().start();
        self.corked.set(if messages.len() == 1 { Corked::AfterFirst } else { Corked::ForDelivery });
        let delivered = self.deliver_messages(env, &callback, &messages);
        self.has_more.set(false);
        self.close_surplus_fds();
        self.corked.set(Corked::No);
        self.waiting_since.set(None);
        self.write_and_tell(env);
        let fault = delivered.err().or(taken.err().map(Fault::from));
        if let Some(fault) = fault
            && self.phase.get() == Phase::Open
        {
            self.is_deaf.set(true);
            self.tell_broken(env, &callback, &fault, None);
            self.inbox.borrow_mut().clear();
            self.tell_end(env);
        } else if self.ends_after_delivery.take() {
            self.tell_end(env);
        }
    }

    /// Closes descriptors that nobody has announced. One may belong to a message that is not complete yet; a native end may have
    /// sent those of several messages at once.
    fn close_surplus_fds(&self) {
        let kept = match (self.is_native.get(), self.inbox.borrow().is_partial()) {
            (true, _) => ancillary::MOST,
            (false, is_partial) => usize::from(is_partial),
        };
        self.fds.borrow_mut().truncate(kept);
    }

    fn deliver_messages(
        &self,
        env: &Env,
        callback: &Callback,
        messages: &[Range<usize>],
    ) -> std::result::Result<(), Fault> {
        let mut rest = messages;
        while !rest.is_empty() {
            // One that comes again is delivered in its own place.
            let is_alone = self.received.gaps.borrow().expects_again();
            let length = if is_alone { 1 } else { decode::run(&self.inbox.borrow(), self.mode, rest) };
            let (run, after) = rest.split_at(length);
            self.has_more.set(!after.is_empty());
            let delivered = engine::with_scope(env, || {
                if self.deliver_in_place(env, callback, run) {
                    Ok(())
                } else {
                    self.deliver_run(env, callback, run)
                }
            });
            self.fds_are_later.set(false);
            delivered.unwrap_or(Ok(()))?;
            rest = after;
        }
        Ok(())
    }

    /// Delivers a large Buffer in the very memory that it was read into, where it is alone there. Says whether it was.
    fn deliver_in_place(&self, env: &Env, callback: &Callback, run: &[Range<usize>]) -> bool {
        let ([message], Mode::Advanced) = (run, self.mode) else {
            return false;
        };
        let content = v8::buffer(self.inbox.borrow().bytes(message)).map(<[u8]>::len);
        let Some(length) = content else {
            return false;
        };
        let Some(buffer) = self.inbox.borrow_mut().give_away(message) else {
            return false;
        };
        let part = Part { buffer, range: message.end - length..message.end };
        let value = engine::adopt_bytes(env, part, Wrapper::Buffer);
        self.deliver_one(env, callback, value, self.take_again());
        true
    }

    /// Delivers messages that can be decoded together.
    fn deliver_run(
        &self,
        env: &Env,
        callback: &Callback,
        run: &[Range<usize>],
    ) -> std::result::Result<(), Fault> {
        let decoded = self.with_codec(|codec| decode::decode(env, codec, &self.inbox.borrow(), run));
        decoded.into_iter().try_for_each(|decoded| self.deliver_decoded(env, callback, decoded))
    }

    fn with_codec<T>(&self, decode: impl FnOnce(&Codec) -> T) -> T {
        let reads_words = self.is_native.get() || self.secret.borrow().is_some();
        decode(&Codec { hooks: &self.hooks, mode: self.mode, reads_words })
    }

    fn deliver_decoded(
        &self,
        env: &Env,
        callback: &Callback,
        decoded: Decoded,
    ) -> std::result::Result<(), Fault> {
        let again = if matches!(decoded, Decoded::Word(_)) { None } else { self.take_again() };
        match decoded {
            Decoded::Messages(array) => self.tell_with(env, callback, &self.hooks.on_messages, &array, again),
            Decoded::Internal(value) => self.tell_with(env, callback, &self.hooks.on_internal, &value, again),
            Decoded::Handle(value) => {
                let fd = self.next_fd();
                return self.deliver_handle(env, callback, &value, fd, again);
            }
            Decoded::Broken(why) => self.tell_broken(env, callback, &why, again),
            Decoded::Word(word) => return self.hear(env, callback, word),
        }
        Ok(())
    }

    /// The other end has said something that only native ends say.
    fn hear(&self, env: &Env, callback: &Callback, word: Word) -> std::result::Result<(), Fault> {
        match word {
            Word::Hello { secret } => {
                if self.secret.take().is_some_and(|expected| expected == secret) {
                    self.become_native();
                    return Ok(());
                }
                Err(Fault::Protocol("it introduced itself with a wrong secret"))
            }
            _ if !self.is_native.get() => Err(Fault::Protocol("it spoke before it had introduced itself")),
            Word::Taken { slot } => {
                self.slots.borrow_mut().taken(slot);
                Ok(())
            }
            Word::NotTaken { slot } => {
                self.send_inline(slot);
                Ok(())
            }
            Word::Inline { slot } => {
                self.received.gaps.borrow_mut().comes_again(Missing::Slot(slot));
                Ok(())
            }
            Word::Forget { slot } => {
                self.views.borrow_mut().forget(slot);
                Ok(())
            }
            Word::Shared { slot, content, bytes, size } => {
                let (length, size) = (bytes as usize, size.map(|size| size as usize));
                self.deliver_shared(env, callback, Place { slot, content, length, size })
            }
            word => {
                self.hear_of_handles(env, callback, &word);
                Ok(())
            }
        }
    }

    fn take_again(&self) -> Option<Missing> {
        self.received.gaps.borrow_mut().take_again()
    }

    /// Something is to be delivered: now, or in the place of what was missing.
    pub(super) fn tell_with(
        &self,
        env: &Env,
        callback: &Callback,
        hook: &Held,
        value: &Unknown,
        again: Option<Missing>,
    ) {
        if let Some(missing) = again {
            self.received.gaps.borrow_mut().fill(missing);
        }
        // Failures are those of an environment that goes away.
        let _ = match again.and_then(|missing| engine::number(env, missing.key()).ok()) {
            Some(key) => callback.call_held(env, hook, [value, &key]),
            None => callback.call_held(env, hook, [value]),
        };
    }

    fn tell_broken(&self, env: &Env, callback: &Callback, why: &Broken, again: Option<Missing>) {
        let why = match why {
            Broken::Thrown(error) => Ok(*error),
            Broken::TooLong => engine::undefined(env),
            Broken::Protocol(reason) => engine::string(env, reason.as_bytes()),
        };
        if let Ok(why) = why {
            self.tell_with(env, callback, &self.hooks.on_broken, &why, again);
        }
    }

    /// Something has not come, and will come again: what comes after it waits.
    ///
    /// # Errors
    /// More is missing than can be under way.
    pub(super) fn tell_missing(
        &self,
        env: &Env,
        callback: &Callback,
        missing: Missing,
    ) -> std::result::Result<(), Fault> {
        let is_new = self.received.gaps.borrow_mut().note(missing);
        if is_new.map_err(|_| Fault::Protocol("more is missing than can be under way"))?
            && let Ok(key) = engine::number(env, missing.key())
        {
            let _ = callback.call_held(env, &self.hooks.on_missing, [&key]);
        }
        Ok(())
    }

    /// The descriptor that has come with the message that is being delivered.
    fn next_fd(&self) -> Option<OwnedFd> {
        if self.fds_are_later.get() { None } else { self.fds.borrow_mut().pop_front() }
    }

    /// Delivers bytes out of shared memory.
    fn deliver_shared(&self, env: &Env, callback: &Callback, place: Place) -> std::result::Result<(), Fault> {
        let fd = place.size.and_then(|_| self.next_fd());
        if place.length > self.inbox.borrow().limit() {
            return Err(Fault::TooLong);
        }
        let bytes = self.views.borrow_mut().take(place, fd);
        let Some(bytes) = bytes else {
            self.views.borrow_mut().forget(place.slot);
            self.send_word(&Word::NotTaken { slot: place.slot });
            return self.tell_missing(env, callback, Missing::Slot(place.slot));
        };
        self.send_word(&Word::Taken { slot: place.slot });
        let value = match place.content {
            Content::Message => {
                let decoded = self.with_codec(|codec| decode::decode_shared(env, codec, bytes));
                return decoded.map_or(Ok(()), |decoded| self.deliver_decoded(env, callback, decoded));
            }
            Content::Buffer => engine::adopt_bytes(env, bytes, Wrapper::Buffer),
            Content::ArrayBuffer => engine::adopt_bytes(env, bytes, Wrapper::ArrayBuffer),
        };
        self.deliver_one(env, callback, value, None);
        Ok(())
    }

    /// Sends a message through the socket that the other end could not take out of shared memory.
    fn send_inline(&self, slot: u32) {
        let message = self.slots.borrow_mut().not_taken(slot);
        if let Some((content, bytes)) = message {
            let mut out = vec![];
            encode::push_inline(self.mode, slot, content, &bytes, &mut out);
            self.send_urgent(&out);
        }
    }

    /// Delivers one message.
    fn deliver_one(&self, env: &Env, callback: &Callback, value: Result<Unknown>, again: Option<Missing>) {
        // Failures are those of an environment that goes away.
        if let Ok(array) = value.and_then(|value| engine::array_of(env, &value)) {
            self.tell_with(env, callback, &self.hooks.on_messages, &array, again);
        }
    }

    pub(super) fn tell<const N: usize>(&self, env: &Env, hook: &Held, arguments: [&Unknown; N]) {
        let callback = self.callback.borrow().clone();
        if let Some(callback) = callback {
            // It fails only while the environment goes away.
            let _ = callback.call_held(env, hook, arguments);
        }
    }

    /// No message will come any more.
    fn tell_end(&self, env: &Env) {
        let is_partial = self.inbox.borrow().is_partial();
        if let Ok(is_partial) = engine::boolean(env, is_partial) {
            self.tell(env, &self.hooks.on_end, [&is_partial]);
        }
    }

    /// JavaScript wants no more messages. Says whether some that have come are still to be delivered; `on_end` follows them.
    pub fn end(&self) -> bool {
        self.ends_after_delivery.set(self.has_more.get());
        self.has_more.get()
    }

    /// While the rest is written, what comes is read: the other end may be writing, too. Of that only those words count that have
    /// a message sent again.
    pub(super) fn drain(&self) {
        let begun = Instant::now();
        loop {
            match self.look() {
                Look::Some { .. } => self.hear_last_words(),
                Look::None => break,
                Look::End => {
                    self.finish();
                    return;
                }
            }
            if begun.elapsed() > TURN {
                self.call_again();
                break;
            }
        }
        if self.write_unless_full().is_err() || self.is_all_sent() {
            self.finish();
        }
    }

    /// Nothing is delivered any more: takes in what the other end says of shared memory, and drops the rest.
    pub(super) fn hear_last_words(&self) {
        let mut messages = vec![];
        // One that is too long is dropped, too.
        let _ = self.inbox.borrow_mut().take(&mut messages);
        let words: Vec<_> =
            messages.iter().filter_map(|message| Word::read(self.inbox.borrow().bytes(message))).collect();
        for word in words.into_iter().filter(|_| self.is_native.get()) {
            match word {
                Word::Taken { slot } => self.slots.borrow_mut().taken(slot),
                Word::NotTaken { slot } => self.send_inline(slot),
                _ => {}
            }
        }
        self.fds.borrow_mut().clear();
    }
}
