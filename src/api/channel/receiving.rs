//! What an end receives: from the socket into its inbox. What becomes of it there is in `delivering.rs`.

use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::Env;

use super::decode::Fault;
use super::{Channel, Corked, Phase, ROOM};
use crate::channel::ancillary;
use crate::channel::word::Word;
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
    pub(super) fn advance(self: &Rc<Self>, env: &Env, is_over: bool) {
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
    pub(super) fn advance_if_ready(self: &Rc<Self>, env: &Env) -> bool {
        self.phase.get() == Phase::Open && !self.is_full.get() && self.receive(env, false)
    }

    /// Reads and delivers until there is no more. Says whether there was anything.
    fn receive(self: &Rc<Self>, env: &Env, is_over: bool) -> bool {
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
    fn deliver(self: &Rc<Self>, env: &Env) {
        let mut messages = vec![];
        let taken = self.inbox.borrow_mut().take(&mut messages);
        // A count of our own: what JavaScript does may close this channel, but what came before is told.
        let listener = self.listener.borrow().clone();
        let Some(listener) = listener else {
            return;
        };
        self.views.borrow_mut().start();
        self.corked.set(if messages.len() == 1 { Corked::AfterFirst } else { Corked::ForDelivery });
        let delivered = self.deliver_messages(env, &listener, &messages);
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
            self.tell_broken(env, &listener, &fault, None);
            self.inbox.borrow_mut().clear();
            self.tell_end(env);
        } else {
            self.disconnect_if_due(env);
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
