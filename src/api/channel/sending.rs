//! What an end sends: into its outbox, and from there to the socket, at once or together with what follows.

use std::cell::RefMut;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use napi::{Env, Result, Unknown};
use nix::sys::socket::{Shutdown, shutdown};

use super::encode::{self, Form, Shared};
use super::{Channel, Corked, Phase};
use crate::channel::ancillary;
use crate::channel::internal::Reply;
use crate::channel::outbox::Outbox;
use crate::channel::shared::Slots;
use crate::channel::word::Word;
use crate::{engine, sys};

/// From so many unwritten bytes on `send()` asks its caller to wait, as the builtin's does.
const HIGH_WATER: usize = 128 * 1024;
/// So many more messages of a tick than the first are written at once; they may be a process's last words.
const AT_ONCE: u32 = 7;
/// So many coalesced bytes are written without waiting for the end of the tick.
const LARGE_WRITE: usize = 64 * 1024;
/// While messages are delivered, answers wait for one another until there are so many bytes, or for so long.
const ANSWERS: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_micros(100);
/// Where the kernel is short of memory, or of room for descriptors, it is asked again after so long.
const SHORTAGE: Duration = Duration::from_millis(5);

/// What `send()` tells JavaScript.
#[derive(Clone, Copy, Default)]
pub(in crate::api) struct Sent(i32);

impl Sent {
    /// There is room for more.
    const ROOM: i32 = 1;
    /// All is written.
    const WRITTEN: i32 = 2;
    /// `flush()` is to be called at the end of the tick.
    const FLUSH: i32 = 4;
    /// `flush()` is to be called a little later: the kernel takes no more descriptors for now.
    const CROWDED: i32 = 8;

    fn failed(errno: i32) -> Self {
        Self(-errno)
    }

    /// The flags above, or a negative errno; `None`: there is room, and nothing to do.
    pub fn code(self) -> Option<i32> {
        (self.0 != Self::ROOM).then_some(self.0)
    }
}

impl Channel {
    /// Sends a message. `is_awaited`: `on_written` is to count it.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn send(&self, env: &Env, message: &Unknown, form: Form, is_awaited: bool) -> Result<Sent> {
        if form != Form::Graph {
            return self
                .append(is_awaited, |out, slots| encode::push_or_share(env, form, message, out, slots));
        }
        // A getter may send, too, so nothing is borrowed while the engine serialises.
        let serialization = &self.hooks.serialization;
        let append =
            |bytes: &[u8]| self.append(is_awaited, |out, slots| encode::push_serialized(bytes, out, slots));
        serialization.write(env, message, append)?
    }

    /// Has `push` append a message, or put it into shared memory, where that is given, and append the word for it.
    fn append(
        &self,
        is_awaited: bool,
        push: impl FnOnce(&mut Vec<u8>, Option<&mut Slots>) -> Result<Shared>,
    ) -> Result<Sent> {
        let is_open = self.phase.get() == Phase::Open;
        if let Some(errno) = self.failure.get().or((!is_open).then_some(libc::EPIPE)) {
            self.outbox.borrow_mut().cancel_handle();
            return Ok(Sent::failed(errno));
        }
        let mut outbox = self.outbox.borrow_mut();
        let (start, position) = (outbox.bytes().len(), outbox.end());
        // Beside another descriptor nobody could tell which is which.
        let may_share = self.is_native.get() && !outbox.has_attached(position);
        let mut slots = self.slots.borrow_mut();
        match push(outbox.bytes(), may_share.then_some(&mut *slots)) {
            Ok(None) => {}
            Ok(Some(fd)) => {
                outbox.attach(position, fd);
                self.watch_age();
            }
            Err(error) => {
                outbox.bytes().truncate(start);
                return Err(error);
            }
        }
        drop(slots);
        Ok(self.sent(outbox, is_awaited))
    }

    /// A message has been appended.
    fn sent(&self, mut outbox: RefMut<Outbox>, is_awaited: bool) -> Sent {
        outbox.appended();
        if is_awaited {
            outbox.await_last();
        }
        let length = outbox.len();
        drop(outbox);
        self.has_sent.set(true);
        self.after_append(length)
    }

    /// Writes now or leaves it for later.
    fn after_append(&self, length: usize) -> Sent {
        let mut code = 0;
        let is_due = match self.corked.get() {
            Corked::No => {
                self.corked.set(Corked::ForTick);
                self.at_once.set(AT_ONCE);
                code = Sent::FLUSH;
                true
            }
            // A tick may be long: what it sends now and then does not wait for its end.
            Corked::ForTick => {
                self.has_turn() || length >= LARGE_WRITE || self.clock.get() != sys::coarse_time()
            }
            Corked::AfterFirst => {
                self.corked.set(Corked::ForDelivery);
                true
            }
            Corked::ForDelivery => length >= ANSWERS,
        };
        if is_due
            && !self.is_full.get()
            && let Err(error) = self.write()
        {
            return Sent::failed(sys::errno(&error));
        }
        let mut outbox = self.outbox.borrow_mut();
        let is_behind = outbox.len() + self.slots.borrow().under_way() >= HIGH_WATER;
        if !is_behind && outbox.handles.has_room() {
            code |= Sent::ROOM;
        }
        if outbox.is_crowded() {
            code |= Sent::CROWDED;
        }
        if outbox.is_empty() {
            outbox.take_done();
            code |= Sent::WRITTEN;
        }
        Sent(code)
    }

    /// Whether this message is among the first of its tick.
    fn has_turn(&self) -> bool {
        let left = self.at_once.get();
        self.at_once.set(left.saturating_sub(1));
        left > 0
    }

    /// The other end is a native one that waits for this secret.
    pub fn introduce(&self, secret: String) {
        self.become_native();
        self.send_word(&Word::Hello { secret });
    }

    /// The other end is to be a native one, which introduces itself with this secret.
    pub fn expect(&self, secret: String) {
        self.secret.replace(Some(secret));
    }

    /// Says something that only native ends say.
    pub(super) fn send_word(&self, word: &Word) {
        let mut bytes = vec![];
        encode::push_word(self.mode, word, &mut bytes);
        self.send_urgent(&bytes);
    }

    /// Tells a builtin end of a handle.
    pub(super) fn send_reply(&self, reply: Reply) {
        let mut bytes = vec![];
        encode::push_reply(self.mode, reply, &mut bytes);
        self.send_urgent(&bytes);
    }

    /// Sends what does not wait for acknowledgements.
    pub(super) fn send_urgent(&self, bytes: &[u8]) {
        self.outbox.borrow_mut().push_urgent(bytes);
        self.write_or_remember();
    }

    /// Writes; a failure is told when this end has looked at its socket.
    pub(super) fn write_or_remember(&self) {
        if let Err(error) = self.write_unless_full() {
            self.untold.set(Some(sys::errno(&error)));
        }
    }

    /// The end of a tick: writes what it has sent; or, while messages are delivered, what has waited long enough.
    pub fn flush(&self) -> Sent {
        let written = match self.corked.get() {
            Corked::AfterFirst | Corked::ForDelivery => self.write_if_late(),
            Corked::No | Corked::ForTick => {
                self.corked.set(Corked::No);
                self.write_unless_full()
            }
        };
        match written {
            Err(error) => Sent::failed(sys::errno(&error)),
            Ok(()) if self.outbox.borrow().is_empty() => Sent(Sent::WRITTEN),
            Ok(()) if self.outbox.borrow().is_crowded() => Sent(Sent::CROWDED),
            Ok(()) => Sent::default(),
        }
    }

    pub(super) fn write_unless_full(&self) -> io::Result<()> {
        if self.is_full.get() || self.outbox.borrow().is_empty() { Ok(()) } else { self.write() }
    }

    /// Writes as much as fits, and asks to be called when more does.
    pub(super) fn write(&self) -> io::Result<()> {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return Ok(());
        };
        self.clock.set(sys::coarse_time());
        let before = self.outbox.borrow().len();
        let outcome = self.outbox.borrow_mut().write(socket.as_fd());
        if self.closing.get().is_some() && self.outbox.borrow().len() < before {
            self.closing.set(Some(Instant::now()));
        }
        // What does not fit now waits as the builtin's would, and only those who await it hear what becomes of it.
        let is_unheard = self.is_unheard.take();
        if let Err(error) = &outcome {
            // Nobody will read it, nor what is sent later. What was awaited is told by whoever asked.
            self.failure.set(Some(sys::errno(error)));
            self.has_lost.set(is_unheard);
            self.outbox.borrow_mut().fail();
            // What was cut short cannot go on: the other end sees the end, and this one what was sent before it.
            let _ = shutdown(socket.as_raw_fd(), Shutdown::Write);
        }
        let is_full = matches!(outcome, Ok(false));
        if is_full != self.is_full.replace(is_full) && self.watch().is_err() && is_full {
            self.is_full.set(false);
            self.outbox.borrow_mut().set_crowded();
        }
        self.update_retention();
        outcome.map(drop)
    }

    /// Whether a message that nobody awaited has just been lost.
    pub fn take_lost(&self) -> bool {
        self.has_lost.take()
    }

    /// How many awaited messages were written since this was asked last.
    pub fn take_done(&self) -> u32 {
        self.outbox.borrow_mut().take_done()
    }

    /// Writes what waited for room.
    pub(super) fn write_and_tell(&self, env: &Env) {
        let written = self.write_unless_full();
        if self.phase.get() == Phase::Closing {
            return;
        }
        match written {
            Ok(()) => {
                let done = self.take_done();
                if done > 0
                    && let Ok(done) = engine::number(env, f64::from(done))
                {
                    self.tell(env, &self.hooks.on_written, [&done]);
                }
            }
            Err(error) => {
                if let Ok(errno) = engine::number(env, f64::from(-sys::errno(&error))) {
                    self.tell(env, &self.hooks.on_failed, [&errno]);
                }
            }
        }
    }

    /// Whether answers have waited long enough for others; writes them then.
    fn write_if_late(&self) -> io::Result<()> {
        let now = Instant::now();
        let since = self.waiting_since.get().unwrap_or(now);
        self.waiting_since.set(Some(since));
        if now.duration_since(since) < PATIENCE {
            return Ok(());
        }
        self.waiting_since.set(None);
        self.write_unless_full()
    }

    /// Writes everything, and waits until `deadline` for the other end to read. The process may be exiting: nothing is touched but the
    /// socket and what is to be written.
    pub(super) fn write_out(&self, deadline: Instant) {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return;
        };
        let mut outbox = self.outbox.borrow_mut();
        outbox.handles.wait_no_more();
        while !outbox.is_empty() && outbox.write(socket.as_fd()).is_ok() && !outbox.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if outbox.is_crowded() {
                std::thread::sleep(SHORTAGE.min(left));
            } else {
                ancillary::wait_for_room(socket.as_fd(), left);
            }
        }
    }
}
