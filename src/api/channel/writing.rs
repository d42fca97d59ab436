//! Writes the outbox to the socket: at the end of a tick, when the socket has room again, and before the process exits.

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
    /// The other end is native and expects this secret: introduces this end.
    pub(super) fn introduce(&self, secret: String) {
        self.become_native();
        self.send_word(&Word::Hello { secret });
    }

    /// The other end is expected to introduce itself as native, with this secret.
    pub(in crate::api) fn expect(&self, secret: String) {
        self.peer.replace(Peer::Announced { secret });
    }

    /// Sends a word to the native end.
    pub(super) fn send_word(&self, word: &Word) {
        let mut bytes = vec![];
        encode::push_word(self.mode, word, &mut bytes);
        self.send_urgent(&bytes);
    }

    /// Sends a builtin end a reply about a handle.
    pub(super) fn send_reply(&self, reply: Reply) {
        let mut bytes = vec![];
        encode::push_reply(self.mode, reply, &mut bytes);
        self.send_urgent(&bytes);
    }

    /// Sends a message ahead of everything that waits for an acknowledgement.
    pub(super) fn send_urgent(&self, bytes: &[u8]) {
        self.writer.borrow_mut().outbox.push_urgent(bytes);
        self.write_or_keep_failure();
    }

    /// Writes. A failure is kept, and reported at the end of the tick or after the next read.
    pub(super) fn write_or_keep_failure(&self) {
        if let Err(error) = self.write_unless_full() {
            self.writer.borrow_mut().keep_failure(sys::errno(&error));
        }
    }

    /// At the end of a tick: writes what the tick has sent or, while messages are being delivered, what has waited
    /// long enough.
    ///
    /// # Errors
    /// The errno of the write.
    pub(super) fn flush(&self) -> std::result::Result<(), i32> {
        let is_due = self.writer.borrow_mut().flush_is_due();
        if let Some(errno) = self.writer.borrow_mut().take_unreported() {
            return Err(errno);
        }
        if is_due { self.write_unless_full().map_err(|error| sys::errno(&error)) } else { Ok(()) }
    }

    pub(super) fn write_unless_full(&self) -> io::Result<()> {
        if self.writer.borrow().has_work() { self.write() } else { Ok(()) }
    }

    /// Writes as much as fits. If the socket is full, has the reactor call when it has room again.
    pub(super) fn write(&self) -> io::Result<()> {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return Ok(());
        };
        let attempt = self.writer.borrow_mut().write(socket.as_fd());
        if attempt.has_advanced && matches!(self.phase.get(), Phase::Closing { .. }) {
            self.phase.set(Phase::Closing { progress: Instant::now() });
        }
        if attempt.fullness_changed && self.watch().is_err() {
            self.writer.borrow_mut().watch_failed();
        }
        self.update_work();
        attempt.outcome
    }

    /// How many awaited messages have been written since the last call.
    pub(super) fn take_done(&self) -> u32 {
        self.writer.borrow_mut().outbox.take_done()
    }

    /// Writes what is queued, and calls the callbacks of what was written.
    pub(super) fn write_and_report(&self, env: &Env) {
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

    /// Writes everything, blocking until `deadline` at most. The process may be exiting, so this uses only the socket
    /// and the outbox.
    pub(super) fn write_out(&self, deadline: Instant) {
        if let Some(socket) = &*self.socket.borrow() {
            self.writer.borrow_mut().write_out(socket.as_fd(), deadline);
        }
    }
}
