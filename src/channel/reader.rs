//! The half of an end that receives: from the socket into the inbox, with the descriptors that come along.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use super::Mode;
use super::ancillary::{self, Room};
use super::inbox::Inbox;
use super::missing::Gaps;
use super::spin::Spin;
use crate::sys::Received;

/// What one look at the socket gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Messages or parts of some.
    Some {
        may_be_more: bool,
    },
    None,
    /// The kernel is short of memory for now: look again.
    Again,
    /// The other end is gone.
    End,
}

/// Whose the first descriptor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum First {
    /// The first message's that is to have one.
    #[default]
    Next,
    /// That of a message behind the one that is being received, whose own descriptor is missing.
    Later,
}

/// Descriptors that have come, for messages still to be decoded.
#[derive(Debug, Default)]
pub struct Descriptors {
    queue: VecDeque<OwnedFd>,
    first: First,
}

impl Descriptors {
    /// Some have come. `is_partial`: a message had begun to come before without them.
    pub fn received(&mut self, fds: Vec<OwnedFd>, is_partial: bool) {
        if is_partial && !fds.is_empty() && self.queue.is_empty() {
            self.first = First::Later;
        }
        self.queue.extend(fds);
    }

    /// The one of the message that is being delivered; `None`: it has not come.
    pub fn take(&mut self) -> Option<OwnedFd> {
        if self.first == First::Later { None } else { self.queue.pop_front() }
    }

    /// That message is delivered.
    pub fn message_is_over(&mut self) {
        self.first = First::Next;
    }

    /// Closes all but the first `count`, which nobody has announced.
    pub fn keep(&mut self, count: usize) {
        self.queue.truncate(count);
    }
}

/// Whether what comes is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attention {
    #[default]
    Watching,
    /// The kernel could not be asked to tell of it: this end looks again a little later.
    LooksLater,
    /// No more: after the end, or a message that was too long.
    Deaf,
}

/// What has come and is being delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing, or the last of it.
    #[default]
    Last,
    /// There are messages that JavaScript has not been told of.
    HasMore,
}

/// What an end receives. Its parts are borrowed one by one: while the inbox is decoded, JavaScript may run.
#[derive(Debug)]
pub struct Reader {
    pub inbox: RefCell<Inbox>,
    pub spin: RefCell<Spin>,
    pub descriptors: RefCell<Descriptors>,
    /// What was announced and has not come.
    pub gaps: RefCell<Gaps>,
    pub attention: Cell<Attention>,
    pub delivery: Cell<Delivery>,
}

impl Reader {
    /// Messages of at most `limit` bytes.
    #[must_use]
    pub fn new(mode: Mode, limit: usize, spin: Spin) -> Self {
        Self {
            inbox: RefCell::new(Inbox::new(mode, limit)),
            spin: RefCell::new(spin),
            descriptors: RefCell::default(),
            gaps: RefCell::default(),
            attention: Cell::default(),
            delivery: Cell::default(),
        }
    }

    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.attention.get() == Attention::Deaf
    }

    /// Reads once. `rights` is room for the descriptors of one read.
    pub fn look(&self, socket: BorrowedFd, rights: &mut Room) -> Look {
        let mut inbox = self.inbox.borrow_mut();
        let is_partial = inbox.is_partial();
        let room = inbox.room();
        let size = room.len();
        let mut fds = vec![];
        match ancillary::receive(socket, room, rights, &mut fds) {
            Ok(Received { length: 0, .. }) => Look::End,
            Ok(received) => {
                inbox.add(received.length);
                self.descriptors.borrow_mut().received(fds, is_partial);
                // Less than asked for: there was no more.
                Look::Some { may_be_more: received.length == size || received.is_cut }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Look::None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Look::Some { may_be_more: true },
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOMEM | libc::ENOBUFS)) => Look::Again,
            // ECONNRESET: the other end is gone and has not read everything.
            Err(_) => Look::End,
        }
    }
}
