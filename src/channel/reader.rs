//! The receiving half of an end: reads bytes and descriptors from the socket into the inbox.

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

/// The result of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Bytes were read: messages, or parts of them.
    Data { may_be_more: bool },
    /// Nothing is available now.
    Empty,
    /// The kernel is out of memory: read again later.
    Again,
    /// End-of-file: the other end is gone.
    End,
}

/// Which message the first queued descriptor belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum First {
    /// The next message that announces a descriptor.
    #[default]
    Next,
    /// A message after the current one; the current one's own descriptor is missing.
    Later,
}

/// Received descriptors whose messages have not been decoded yet.
#[derive(Debug, Default)]
pub struct Descriptors {
    queue: VecDeque<OwnedFd>,
    first: First,
}

impl Descriptors {
    /// Queues descriptors from one read. `is_partial`: that read continued a message whose first byte came earlier,
    /// without a descriptor. A descriptor is attached to the first byte of its message, so these belong to later
    /// messages.
    pub fn received(&mut self, fds: Vec<OwnedFd>, is_partial: bool) {
        if is_partial && !fds.is_empty() && self.queue.is_empty() {
            self.first = First::Later;
        }
        self.queue.extend(fds);
    }

    /// Takes the descriptor of the message that is being delivered. `None`: it is missing.
    pub fn take(&mut self) -> Option<OwnedFd> {
        if self.first == First::Later { None } else { self.queue.pop_front() }
    }

    /// The current message has been delivered.
    pub fn message_is_over(&mut self) {
        self.first = First::Next;
    }

    /// Closes all but the first `count` descriptors: those that no message has announced.
    pub fn keep(&mut self, count: usize) {
        self.queue.truncate(count);
    }
}

/// Whether an end reads from its socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadState {
    /// It reads when epoll reports data.
    #[default]
    Watching,
    /// Registering with epoll has failed: it reads again after a delay.
    RetryLater,
    /// It reads no more: after end-of-file, or after a message that was too long.
    Stopped,
}

/// How much of the last read is still to be delivered to JavaScript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing, or only what is being delivered now.
    #[default]
    Last,
    /// More messages follow the ones that are being delivered now.
    HasMore,
}

/// The receiving half of an end. Its parts have a `RefCell` each, because JavaScript may run while the inbox is
/// borrowed.
#[derive(Debug)]
pub struct Reader {
    pub inbox: RefCell<Inbox>,
    pub spin: RefCell<Spin>,
    pub descriptors: RefCell<Descriptors>,
    /// What was announced and could not be received.
    pub gaps: RefCell<Gaps>,
    pub state: Cell<ReadState>,
    pub delivery: Cell<Delivery>,
}

impl Reader {
    /// A reader that accepts messages of at most `limit` bytes.
    #[must_use]
    pub fn new(mode: Mode, limit: usize, spin: Spin) -> Self {
        Self {
            inbox: RefCell::new(Inbox::new(mode, limit)),
            spin: RefCell::new(spin),
            descriptors: RefCell::default(),
            gaps: RefCell::default(),
            state: Cell::default(),
            delivery: Cell::default(),
        }
    }

    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.state.get() == ReadState::Stopped
    }

    /// Reads once, without blocking. `rights` is a buffer for the descriptors of one read.
    pub fn read(&self, socket: BorrowedFd, rights: &mut Room) -> ReadOutcome {
        let mut inbox = self.inbox.borrow_mut();
        let is_partial = inbox.is_partial();
        let room = inbox.room();
        let size = room.len();
        let mut fds = vec![];
        match ancillary::receive(socket, room, rights, &mut fds) {
            Ok(Received { length: 0, .. }) => ReadOutcome::End,
            Ok(received) => {
                inbox.add(received.length);
                self.descriptors.borrow_mut().received(fds, is_partial);
                // A read that did not fill the buffer has emptied the socket.
                ReadOutcome::Data { may_be_more: received.length == size || received.is_cut }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ReadOutcome::Empty,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                ReadOutcome::Data { may_be_more: true }
            }
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOMEM | libc::ENOBUFS)) => {
                ReadOutcome::Again
            }
            // ECONNRESET: the other end is gone and had not read everything.
            Err(_) => ReadOutcome::End,
        }
    }
}
