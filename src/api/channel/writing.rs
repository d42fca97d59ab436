//! What an end writes: its outbox to the socket, at the end of a tick, when there is room, and before the process exits.

use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use napi::Env;

use super::{Channel, Phase, encode};
use crate::channel::internal::Reply;
use crate::channel::peer::Peer;
use crate::channel::word::Word;
use crate::sys;

impl Channel {
    /// The other end is a native one that waits for this secret.
    pub(super) fn introduce(&self, secret: String) {
        self.become_native();
        self.send_word(&Word::Hello { secret });
    }

    /// The other end is to be a native one, which introduces itself with this secret.
    pub(super) fn expect(&self, secret: String) {
        self.peer.replace(Peer::Announced { secret });
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
        self.writer.borrow_mut().outbox.push_urgent(bytes);
        self.write_or_remember();
    }

    /// Writes; a failure is told when this end has looked at its socket.
    pub(super) fn write_or_remember(&self) {
        if let Err(error) = self.write_unless_full() {
            self.writer.borrow_mut().remember(sys::errno(&error));
        }
    }

    /// The end of a tick: writes what it has sent; or, while messages are delivered, what has waited long enough.
    ///
    /// # Errors
    /// The errno.
    pub(super) fn flush(&self) -> std::result::Result<(), i32> {
        let is_due = self.writer.borrow_mut().flush_is_due();
        if is_due { self.write_unless_full().map_err(|error| sys::errno(&error)) } else { Ok(()) }
    }

    pub(super) fn write_unless_full(&self) -> io::Result<()> {
        if self.writer.borrow().has_work() { self.write() } else { Ok(()) }
    }

    /// Writes as much as fits, and asks to be called when more does.
    pub(super) fn write(&self) -> io::Result<()> {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return Ok(());
        };
        let attempt = self.writer.borrow_mut().write(socket.as_fd());
        if attempt.has_advanced && matches!(self.phase.get(), Phase::Closing { .. }) {
            self.phase.set(Phase::Closing { progress: Instant::now() });
        }
        if attempt.has_turned && self.watch().is_err() {
            self.writer.borrow_mut().is_not_watched();
        }
        self.update_work();
        attempt.outcome
    }

    /// How many awaited messages were written since this was asked last.
    pub(super) fn take_done(&self) -> u32 {
        self.writer.borrow_mut().outbox.take_done()
    }

    /// Writes what waited for room.
    pub(super) fn write_and_tell(&self, env: &Env) {
        let written = self.write_unless_full();
        if matches!(self.phase.get(), Phase::Closing { .. }) {
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

    /// Writes everything, and waits until `deadline` for the other end to read. The process may be exiting: nothing is touched but the
    /// socket and what is to be written.
    pub(super) fn write_out(&self, deadline: Instant) {
        if let Some(socket) = &*self.socket.borrow() {
            self.writer.borrow_mut().write_out(socket.as_fd(), deadline);
        }
    }
}
