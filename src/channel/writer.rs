//! The half of an end that sends: when what is appended to the outbox gets written, and what the socket has said to it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};

use super::ancillary;
use super::outbox::Outbox;
use crate::sys;

/// So many more messages of a tick than the first are written at once; they may be a process's last words.
const AT_ONCE: u32 = 7;
/// So many coalesced bytes are written without waiting for the end of the tick.
const LARGE_WRITE: usize = 64 * 1024;
/// While messages are delivered, answers wait for one another until there are so many bytes, or for so long.
const ANSWERS: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_micros(100);
/// Where the kernel is short of memory, or of room for descriptors, it is asked again after so long.
const SHORTAGE: Duration = Duration::from_millis(5);

/// When what is sent gets written.
#[derive(Clone, Copy, Debug, Default)]
enum Cork {
    /// At once.
    #[default]
    Open,
    /// At the end of the tick, which has written already, but for so many messages that are still written at once.
    ForTick { at_once: u32 },
    /// At once: it is the first answer to the one message that is being delivered.
    AfterFirst,
    /// After the messages that are being delivered, or when there is much. Since when some has waited.
    ForDelivery { since: Option<Instant> },
}

/// What the socket takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Room {
    #[default]
    Free,
    /// Nothing more for now.
    Full,
    /// Nothing any more, for this reason.
    Failed { errno: i32 },
}

/// A message that nobody awaits, and whose failure somebody wants to hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Unheard {
    #[default]
    None,
    /// It waits for its first attempt.
    Waiting,
    /// That has failed.
    Lost,
}

/// Who hears what becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody awaits that it is written.
    Awaited,
    /// Nobody does, but a failure of the first attempt is told.
    OnFailure,
    Never,
}

/// What is to be done about a message that has been appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// It is written now.
    pub now: bool,
    /// It is the first one of its tick: [`Writer::flush_is_due`] is to be asked at its end.
    pub is_first: bool,
}

/// What writing has come to.
#[derive(Debug)]
pub struct Attempt {
    pub outcome: io::Result<()>,
    /// The socket has become full, or is full no more.
    pub has_turned: bool,
    /// Something was written.
    pub has_advanced: bool,
}

/// What an end sends.
#[derive(Debug, Default)]
pub struct Writer {
    pub outbox: Outbox,
    cork: Cork,
    room: Room,
    unheard: Unheard,
    /// Why writing has failed, where nobody has been told.
    untold: Option<i32>,
    /// When something was last written, by the coarse clock.
    clock: u64,
    /// How many messages have been sent.
    sent: u64,
}

impl Writer {
    /// Messages that have come are about to be delivered: answers wait for one another.
    pub fn begin_delivery(&mut self, messages: usize) {
        self.cork = if messages == 1 { Cork::AfterFirst } else { Cork::ForDelivery { since: None } };
    }

    pub fn end_delivery(&mut self) {
        self.cork = Cork::Open;
    }

    /// A message has been appended.
    pub fn appended(&mut self, heard: Heard) -> Due {
        self.outbox.appended();
        self.note_sent();
        match heard {
            Heard::Awaited => self.outbox.await_last(),
            Heard::OnFailure if self.room != Room::Full => self.unheard = Unheard::Waiting,
            Heard::OnFailure | Heard::Never => {}
        }
        let length = self.outbox.len();
        match &mut self.cork {
            Cork::Open => {
                self.cork = Cork::ForTick { at_once: AT_ONCE };
                Due { now: true, is_first: true }
            }
            // A tick may be long: what it sends now and then does not wait for its end.
            Cork::ForTick { at_once } => {
                let has_turn = *at_once > 0;
                *at_once = at_once.saturating_sub(1);
                let now = has_turn || length >= LARGE_WRITE || self.clock != sys::coarse_time();
                Due { now, is_first: false }
            }
            Cork::AfterFirst => {
                self.cork = Cork::ForDelivery { since: None };
                Due { now: true, is_first: false }
            }
            Cork::ForDelivery { .. } => Due { now: length >= ANSWERS, is_first: false },
        }
    }

    /// The end of a tick, or one message of several has been delivered. Says whether what there is is to be written.
    pub fn flush_is_due(&mut self) -> bool {
        match self.cork {
            Cork::Open | Cork::ForTick { .. } => {
                self.cork = Cork::Open;
                true
            }
            Cork::AfterFirst => false,
            Cork::ForDelivery { since } => {
                let now = Instant::now();
                let since = since.unwrap_or(now);
                let is_due = now.duration_since(since) >= PATIENCE;
                self.cork = Cork::ForDelivery { since: (!is_due).then_some(since) };
                is_due
            }
        }
    }

    /// Something is sent, or will be without being asked for again.
    pub fn note_sent(&mut self) {
        self.sent += 1;
    }

    /// How many messages have been sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the socket takes nothing more for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.room == Room::Full
    }

    /// Why nothing can be written any more.
    #[must_use]
    pub fn failure(&self) -> Option<i32> {
        if let Room::Failed { errno } = self.room { Some(errno) } else { None }
    }

    /// The socket may have room again. Says whether it was full.
    pub fn has_room_again(&mut self) -> bool {
        let was_full = self.is_full();
        if was_full {
            self.room = Room::Free;
        }
        was_full
    }

    /// The kernel will not tell of room in the socket: it is to be tried again later.
    pub fn is_not_watched(&mut self) {
        if self.has_room_again() {
            self.outbox.set_crowded();
        }
    }

    /// Whether there is something that can be written.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.is_full() && !self.outbox.is_empty()
    }

    /// Writes as much as fits. What does not fit now waits as the builtin's would, and only those who await it hear what becomes
    /// of it.
    pub fn write(&mut self, socket: BorrowedFd) -> Attempt {
        self.clock = sys::coarse_time();
        let (was_full, before) = (self.is_full(), self.outbox.len());
        let outcome = self.outbox.write(socket);
        let has_advanced = self.outbox.len() < before;
        let unheard = std::mem::take(&mut self.unheard);
        match &outcome {
            Ok(is_all) => self.room = if *is_all { Room::Free } else { Room::Full },
            Err(error) => {
                // Nobody will read it, nor what is sent later. What was awaited is told by whoever asked.
                self.room = Room::Failed { errno: sys::errno(error) };
                self.unheard = if unheard == Unheard::Waiting { Unheard::Lost } else { Unheard::None };
                self.outbox.fail();
                // What was cut short cannot go on: the other end sees the end, and this one what was sent before it.
                let _ = shutdown(socket.as_raw_fd(), Shutdown::Write);
            }
        }
        Attempt { outcome: outcome.map(drop), has_turned: was_full != self.is_full(), has_advanced }
    }

    /// Whether a message that nobody awaited has just been lost.
    pub fn take_lost(&mut self) -> bool {
        let is_lost = self.unheard == Unheard::Lost;
        if is_lost {
            self.unheard = Unheard::None;
        }
        is_lost
    }

    /// Nobody is there to be told of a failure now.
    pub fn remember(&mut self, errno: i32) {
        self.untold = Some(errno);
    }

    /// The failure that nobody has been told of.
    pub fn take_untold(&mut self) -> Option<i32> {
        self.untold.take()
    }

    /// Writes everything, and waits until `deadline` for the other end to read. The process may be exiting.
    pub fn write_out(&mut self, socket: BorrowedFd, deadline: Instant) {
        let outbox = &mut self.outbox;
        outbox.handles.wait_no_more();
        while !outbox.is_empty() && outbox.write(socket).is_ok() && !outbox.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if outbox.is_crowded() {
                std::thread::sleep(SHORTAGE.min(left));
            } else {
                ancillary::wait_for_room(socket, left);
            }
        }
    }
}
