//! What an end receives: from the socket into its inbox, and from there to JavaScript.

use std::cell::LazyCell;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use napi::{Env, Result, Unknown};

use super::decode::{self, Codec, Decoded};
use super::{Channel, Corked, Phase, ROOM};
use crate::channel::ancillary;
use crate::channel::inbox::TooLong;
use crate::channel::internal::{self, Internal};
use crate::channel::shared::{Kind, Place};
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
        length: usize,
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
        // The clock is asked only where it matters.
        let begun = LazyCell::new(Instant::now);
        let mut look = self.look();
        let is_ready = !matches!(look, Look::None);
        if is_ready && self.spin.borrow().is_on() {
            self.spin.borrow_mut().arrived(*begun);
        }
        let (mut messages, mut bytes, mut has_answered) = (0, 0, false);
        while let Look::Some { length, may_be_more } = look {
            self.has_sent.set(false);
            messages += self.deliver(env);
            bytes += length;
            if self.phase.get() != Phase::Open || self.is_deaf.get() {
                return true;
            }
            has_answered |= self.has_sent.get();
            let is_answered = self.has_sent.get() && self.spin.borrow().is_on();
            look = if (may_be_more || is_answered) && begun.elapsed() > TURN {
                self.call_again();
                return true;
            } else if may_be_more {
                self.look()
            } else if is_answered {
                self.look_longer(*begun, is_over)
            } else {
                self.look_if_over(is_over)
            };
        }
        if matches!(look, Look::End) {
            self.is_deaf.set(true);
            self.tell_end(env);
        } else if !self.is_native.get() || self.is_muted.get() {
            self.rest_or_watch(*begun, messages, bytes, has_answered);
        }
        is_ready
    }

    /// Everything has been read. Lets what comes next gather for a moment, where that is worthwhile.
    fn rest_or_watch(&self, begun: Instant, messages: usize, bytes: usize, has_answered: bool) {
        let is_stream = self.lull.borrow_mut().read(begun, messages, bytes);
        // The other end may wait for an answer, and answer that.
        if !(is_stream && !has_answered && self.rest().is_ok()) && self.is_muted.get() {
            self.call_again();
        }
    }

    fn rest(&self) -> io::Result<()> {
        if let (Some(key), Some(socket)) = (self.key.get(), &*self.socket.borrow()) {
            if !self.is_muted.get() {
                self.reactor.mute(socket.as_raw_fd())?;
                self.is_muted.set(true);
            }
            self.reactor.call_after_rest(key)?;
        }
        Ok(())
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
                Look::Some {
                    length: received.length,
                    may_be_more: received.length == size || received.is_cut,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Look::None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Look::Some { length: 0, may_be_more: true }
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
        // It fails only without memory; then the next message, or the next rest, wakes this end.
        let _ = self.watch();
    }

    /// Delivers every message that is complete, each in a tick of its own. Returns how many.
    fn deliver(&self, env: &Env) -> usize {
        let mut messages = vec![];
        let taken = self.inbox.borrow_mut().take(&mut messages);
        // A count of our own: what JavaScript does may close this channel, but what came before is told.
        let callback = self.callback.borrow().clone();
        let Some(callback) = callback else {
            return 0;
        };
        self.views.borrow_mut().start();
        self.corked.set(if messages.len() == 1 { Corked::AfterFirst } else { Corked::ForDelivery });
        let delivered = self.deliver_messages(env, &callback, &messages);
        // Those that nobody has announced; a native end may have sent those of several messages at once.
        let kept = if self.is_native.get() { ancillary::MOST } else { 0 };
        if !self.inbox.borrow().is_partial() && self.fds.borrow().len() > kept {
            self.fds.borrow_mut().clear();
        }
        self.corked.set(Corked::No);
        self.waiting_since.set(None);
        self.write_and_tell(env);
        if delivered.and(taken).is_err() && self.phase.get() == Phase::Open {
            self.is_deaf.set(true);
            let _ = callback.call_held(env, &self.hooks.on_broken, []);
            self.inbox.borrow_mut().clear();
            self.tell_end(env);
        } else if self.ends_after_delivery.take() {
            self.tell_end(env);
        }
        messages.len()
    }

    fn deliver_messages(
        &self,
        env: &Env,
        callback: &Callback,
        messages: &[Range<usize>],
    ) -> std::result::Result<(), TooLong> {
        let mut rest = messages;
        while !rest.is_empty() {
            let (run, after) = rest.split_at(decode::run(&self.inbox.borrow(), self.mode, rest));
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
        self.deliver_one(env, callback, value);
        true
    }

    /// Delivers messages that can be decoded together.
    fn deliver_run(
        &self,
        env: &Env,
        callback: &Callback,
        run: &[Range<usize>],
    ) -> std::result::Result<(), TooLong> {
        let decoded = self.with_codec(|codec| decode::decode(env, codec, &self.inbox.borrow(), run));
        decoded.into_iter().try_for_each(|decoded| self.deliver_decoded(env, callback, decoded))
    }

    fn with_codec<T>(&self, decode: impl FnOnce(&Codec) -> T) -> T {
        decode(&Codec { hooks: &self.hooks, unpack: self.unpack.borrow().as_ref(), mode: self.mode })
    }

    fn deliver_decoded(
        &self,
        env: &Env,
        callback: &Callback,
        decoded: Decoded,
    ) -> std::result::Result<(), TooLong> {
        let hooks = &self.hooks;
        // Failures are those of an environment that goes away.
        match decoded {
            Decoded::Messages(array) => {
                let mut is_more = callback.call_held(env, &hooks.on_messages, [&array]);
                // More after one that has thrown, too.
                while matches!(is_more, Ok(true)) {
                    is_more = callback.call_held(env, &hooks.on_messages, []);
                }
            }
            Decoded::Internal(value) => {
                let _ = callback.call_held(env, &hooks.on_internal, [&value]);
            }
            Decoded::Handle(value) => {
                let fd = self.next_fd();
                self.deliver_handle(env, callback, &value, fd);
            }
            Decoded::Broken(error) => {
                let _ = callback.call_held(env, &hooks.on_broken, [&error]);
            }
            Decoded::Ours(Internal::Taken { slot, kept }) => self.slots.borrow_mut().taken(slot, kept),
            Decoded::Ours(Internal::Forget { slot }) => self.views.borrow_mut().forget(slot),
            Decoded::Ours(Internal::Native { version }) => {
                if version >= internal::VERSION {
                    self.become_native();
                    let _ = callback.call_held(env, &hooks.on_native, []);
                }
            }
            Decoded::Ours(word) => self.hear_of_handles(env, callback, &word),
            Decoded::Shared(kind, place) => return self.deliver_shared(env, callback, kind, place),
        }
        Ok(())
    }

    /// The descriptor that has come with the message that is being delivered.
    fn next_fd(&self) -> Option<OwnedFd> {
        if self.fds_are_later.get() { None } else { self.fds.borrow_mut().pop_front() }
    }

    /// Delivers bytes out of shared memory.
    fn deliver_shared(
        &self,
        env: &Env,
        callback: &Callback,
        kind: Kind,
        place: Place,
    ) -> std::result::Result<(), TooLong> {
        let fd = place.size.and_then(|_| self.next_fd());
        if place.length > self.inbox.borrow().limit() {
            return Err(TooLong);
        }
        let mut views = self.views.borrow_mut();
        let bytes = if self.is_native.get() { views.take(place, fd) } else { None };
        let kept = views.has(place.slot);
        drop(views);
        self.send_internal(&Internal::Taken { slot: place.slot, kept });
        let wrapper = match (kind, bytes) {
            (Kind::Message, Some(bytes)) => {
                let decoded = self.with_codec(|codec| decode::decode_shared(env, codec, bytes));
                return decoded.map_or(Ok(()), |decoded| self.deliver_decoded(env, callback, decoded));
            }
            (Kind::Buffer, Some(bytes)) => engine::adopt_bytes(env, bytes, Wrapper::Buffer),
            (Kind::ArrayBuffer, Some(bytes)) => engine::adopt_bytes(env, bytes, Wrapper::ArrayBuffer),
            (_, None) => {
                if let Ok(is_lost) = engine::boolean(env, true) {
                    let _ = callback.call_held(env, &self.hooks.on_broken, [&is_lost]);
                }
                return Ok(());
            }
        };
        self.deliver_one(env, callback, wrapper);
        Ok(())
    }

    /// Delivers one message.
    fn deliver_one(&self, env: &Env, callback: &Callback, value: Result<Unknown>) {
        // Failures are those of an environment that goes away.
        let _ = value
            .and_then(|value| engine::array_of(env, &value))
            .and_then(|array| callback.call_held(env, &self.hooks.on_messages, [&array]));
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

    /// While the rest is written, what comes is read and dropped: the other end may be writing, too.
    pub(super) fn drain(&self) {
        loop {
            match self.look() {
                Look::Some { .. } => self.inbox.borrow_mut().clear(),
                Look::None => break,
                Look::End => {
                    self.finish();
                    return;
                }
            }
        }
        if self.write_unless_full().is_err() || self.outbox.borrow().is_empty() {
            self.finish();
        }
    }
}
