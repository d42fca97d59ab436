//! Reads from the socket into the inbox. `delivering.rs` delivers what is there.

use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::Env;

use super::decode::Fault;
use super::{Channel, Phase, ROOM};
use crate::channel::ancillary;
use crate::channel::reader::{Delivery, ReadOutcome, ReadState};
use crate::channel::word::Word;

/// A channel blocks the event loop for at most this long.
const TURN: Duration = Duration::from_millis(1);

impl Channel {
    /// Called when the socket may be ready. `is_over`: the other end has closed it, so nothing more will come than is
    /// there now.
    pub(super) fn advance(self: &Rc<Self>, env: &Env, is_over: bool) {
        let has_room_again = self.writer.borrow_mut().has_room_again();
        if has_room_again {
            self.write_and_report(env);
        }
        match self.phase.get() {
            Phase::Open => {
                self.receive(env, is_over);
            }
            Phase::Closing { .. } => self.drain(),
            Phase::Closed => {}
        }
    }

    /// Reads and delivers messages if there are any. Returns whether there were.
    pub(super) fn advance_if_ready(self: &Rc<Self>, env: &Env) -> bool {
        self.phase.get() == Phase::Open && !self.writer.borrow().is_full() && self.receive(env, false)
    }

    /// Reads and delivers until the socket is empty. Returns whether there was anything.
    fn receive(self: &Rc<Self>, env: &Env, is_over: bool) -> bool {
        if self.reader.has_stopped() {
            return false;
        }
        let begun = Instant::now();
        let mut outcome = self.read_once();
        let is_ready = !matches!(outcome, ReadOutcome::Empty);
        if is_ready {
            self.reader.spin.borrow_mut().arrived(begun);
        }
        while let ReadOutcome::Data { may_be_more } = outcome {
            let sent = self.writer.borrow().sent();
            self.deliver(env);
            if matches!(self.phase.get(), Phase::Closing { .. }) && may_be_more {
                // The rest may acknowledge what the closing channel is waiting for.
                self.call_again();
            }
            if self.phase.get() != Phase::Open || self.reader.has_stopped() {
                return true;
            }
            let is_answered = self.writer.borrow().sent() != sent && self.reader.spin.borrow().is_on();
            outcome = if (may_be_more || is_answered) && begun.elapsed() > TURN {
                self.call_again();
                return true;
            } else if may_be_more {
                self.read_once()
            } else if is_answered {
                self.busy_poll(begun, is_over)
            } else {
                self.read_if_over(is_over)
            };
        }
        if matches!(outcome, ReadOutcome::End) {
            self.reader.state.set(ReadState::Stopped);
            self.emit_end(env);
        }
        is_ready
    }

    /// Reads once.
    fn read_once(&self) -> ReadOutcome {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return ReadOutcome::Empty;
        };
        match ROOM.with_borrow_mut(|rights| self.reader.read(socket.as_fd(), rights)) {
            ReadOutcome::Again => {
                self.call_again();
                ReadOutcome::Empty
            }
            outcome => outcome,
        }
    }

    /// After a read that has emptied the socket. The reactor will report new data, but may already have reported the
    /// end: then reads again.
    fn read_if_over(&self, is_over: bool) -> ReadOutcome {
        if is_over { self.read_once() } else { ReadOutcome::Empty }
    }

    /// An answer has just been sent: polls the socket for the next message, if messages have been coming quickly.
    fn busy_poll(&self, begun: Instant, is_over: bool) -> ReadOutcome {
        let now = Instant::now();
        let Some(time) = self.reader.spin.borrow_mut().answer(now) else {
            return self.read_if_over(is_over);
        };
        let until = (now + time).min(begun + TURN);
        loop {
            let outcome = self.read_once();
            if !matches!(outcome, ReadOutcome::Empty) {
                self.reader.spin.borrow_mut().found();
                return outcome;
            }
            if Instant::now() > until {
                self.reader.spin.borrow_mut().missed();
                return ReadOutcome::Empty;
            }
            std::hint::spin_loop();
        }
    }

    /// Has the rest read in the next iteration of the event loop.
    pub(super) fn call_again(&self) {
        if self.watch().is_err() {
            self.reader.state.set(ReadState::RetryLater);
            self.schedule_housekeeping();
        }
    }

    /// Delivers every message that is complete, each in a tick of its own.
    fn deliver(self: &Rc<Self>, env: &Env) {
        let mut messages = vec![];
        let taken = self.reader.inbox.borrow_mut().take(&mut messages);
        // A reference of our own: JavaScript may close this channel meanwhile, but the messages in this batch are
        // still delivered.
        let listener = self.listener.borrow().clone();
        let Some(listener) = listener else {
            return;
        };
        self.views.borrow_mut().start();
        self.writer.borrow_mut().begin_delivery(messages.len());
        let delivered = self.deliver_messages(env, &listener, &messages);
        self.reader.delivery.set(Delivery::Last);
        self.close_surplus_fds();
        self.writer.borrow_mut().end_delivery();
        self.write_and_report(env);
        let fault = delivered.err().or(taken.err().map(Fault::from));
        if let Some(fault) = fault
            && self.phase.get() == Phase::Open
        {
            self.reader.state.set(ReadState::Stopped);
            self.emit_broken(env, &listener, &fault, None);
            self.reader.inbox.borrow_mut().clear();
            self.emit_end(env);
        } else {
            self.disconnect_if_due(env);
        }
    }

    /// Closes unannounced descriptors, except those whose message may still be incomplete: one descriptor from a
    /// builtin end, or those of one `sendmsg` from a native end.
    fn close_surplus_fds(&self) {
        let kept = match (self.peer.borrow().is_native(), self.reader.inbox.borrow().is_partial()) {
            (true, _) => ancillary::MAX_DESCRIPTORS,
            (false, is_partial) => usize::from(is_partial),
        };
        self.reader.descriptors.borrow_mut().keep(kept);
    }

    /// While the last messages are being written, still reads: the other end may be blocked in writing. Only words
    /// about shared memory are processed.
    pub(super) fn drain(&self) {
        let begun = Instant::now();
        loop {
            match self.read_once() {
                ReadOutcome::Data { .. } => self.process_last_words(),
                ReadOutcome::Empty | ReadOutcome::Again => break,
                ReadOutcome::End => {
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

    /// The channel is closing: processes words about shared memory, and drops everything else.
    pub(super) fn process_last_words(&self) {
        let mut messages = vec![];
        // A message that is too long is dropped too.
        let _ = self.reader.inbox.borrow_mut().take(&mut messages);
        let words: Vec<_> = messages
            .iter()
            .filter_map(|message| Word::read(self.reader.inbox.borrow().bytes(message)))
            .collect();
        for word in words.into_iter().filter(|_| self.peer.borrow().is_native()) {
            match word {
                Word::Taken { slot } => self.slots.borrow_mut().taken(slot),
                Word::NotTaken { slot } => self.send_inline(slot),
                _ => {}
            }
        }
        self.reader.descriptors.borrow_mut().keep(0);
    }
}
