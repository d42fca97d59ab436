//! What an end writes: its outbox to the socket, at the end of a tick, when there is room, and before the process exits.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use napi::Env;
use nix::sys::socket::{Shutdown, shutdown};

use super::{Channel, Corked, Phase, encode};
use crate::channel::ancillary;
use crate::channel::internal::Reply;
use crate::channel::word::Word;
use crate::sys;

/// While messages are delivered, answers wait for one another for so long.
const PATIENCE: Duration = Duration::from_micros(100);
/// Where the kernel is short of memory, or of room for descriptors, it is asked again after so long.
const SHORTAGE: Duration = Duration::from_millis(5);

impl Channel {
    /// Whether this message is among the first of its tick.
    pub(super) fn has_turn(&self) -> bool {
        let left = self.at_once.get();
        self.at_once.set(left.saturating_sub(1));
        left > 0
    }

    /// The other end is a native one that waits for this secret.
    pub(super) fn introduce(&self, secret: String) {
        self.become_native();
        self.send_word(&Word::Hello { secret });
    }

    /// The other end is to be a native one, which introduces itself with this secret.
    pub(super) fn expect(&self, secret: String) {
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
    ///
    /// # Errors
    /// The errno.
    pub(super) fn flush(&self) -> std::result::Result<(), i32> {
        let written = match self.corked.get() {
            Corked::AfterFirst | Corked::ForDelivery => self.write_if_late(),
            Corked::No | Corked::ForTick => {
                self.corked.set(Corked::No);
                self.write_unless_full()
            }
        };
        written.map_err(|error| sys::errno(&error))
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

    /// How many awaited messages were written since this was asked last.
    pub(super) fn take_done(&self) -> u32 {
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
                self.settle_written(env, done);
            }
            Err(error) => self.fail(env, sys::errno(&error)),
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
