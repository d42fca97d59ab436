//! The sending half of an end: decides when appended messages are written, and keeps the state of the socket.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};

use super::ancillary;
use super::outbox::Outbox;
use crate::sys;

/// After the first message of a tick, this many more are written at once: they may be the last ones before the
/// process exits.
const AT_ONCE: u32 = 7;
/// This many coalesced bytes are written without waiting for the end of the tick.
const LARGE_WRITE: usize = 64 * 1024;
/// While several messages are delivered, answers are coalesced until there are this many bytes, or for this long.
const MAX_ANSWER_BYTES: usize = 8 * 1024;
const MAX_ANSWER_DELAY: Duration = Duration::from_micros(100);
/// The delay before a retry when the kernel is out of memory or of room for descriptors.
pub const RETRY_DELAY: Duration = Duration::from_millis(5);

/// When appended messages are written.
#[derive(Clone, Copy, Debug, Default)]
enum Cork {
    /// At once.
    #[default]
    Open,
    /// At the end of the tick, because a message of this tick has been written already. `at_once` more are still
    /// written at once.
    ForTick { at_once: u32 },
    /// At once: one message is being delivered, and this is the first answer to it.
    AfterFirst,
    /// After the messages that are being delivered, or earlier once much has accumulated. `since`: when the wait began.
    ForDelivery { since: Option<Instant> },
}

/// Whether the socket accepts bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Room {
    #[default]
    Free,
    /// Not now.
    Full,
    /// Never again, because of this error.
    Failed { errno: i32 },
}

/// Messages without a callback whose failure must be reported ([`Report::OnFailure`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Uncalled {
    #[default]
    None,
    /// There are some that have not been attempted yet.
    Waiting,
    /// The attempt to write them has failed.
    Lost,
}

/// What is reported about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// That it has been written, or that it failed: it has a callback.
    Always,
    /// Only that the first attempt to write it failed.
    OnFailure,
    Never,
}

/// What is to be done about a message that has been appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Whether to write it now.
    pub now: bool,
    /// Whether it is the first one of its tick. Then [`Writer::flush_is_due`] must be called at the end of the tick.
    pub is_first: bool,
}

/// The result of an attempt to write.
#[derive(Debug)]
pub struct Attempt {
    pub outcome: io::Result<()>,
    /// Whether the socket has become full, or is no longer full.
    pub fullness_changed: bool,
    /// Whether something was written.
    pub has_advanced: bool,
}

/// The sending half of an end.
#[derive(Debug, Default)]
pub struct Writer {
    pub outbox: Outbox,
    cork: Cork,
    room: Room,
    uncalled: Uncalled,
    /// The errno of a failure that has not been reported yet.
    unreported: Option<i32>,
    /// When something was last written ([`sys::coarse_time`]).
    clock: u64,
    /// How many messages have been sent.
    sent: u64,
}

impl Writer {
    /// Received messages are about to be delivered: from now on answers are coalesced.
    pub fn begin_delivery(&mut self, messages: usize) {
        self.cork = if messages == 1 { Cork::AfterFirst } else { Cork::ForDelivery { since: None } };
    }

    pub fn end_delivery(&mut self) {
        self.cork = Cork::Open;
    }

    /// A message has been appended.
    pub fn appended(&mut self, report: Report) -> Due {
        self.outbox.appended();
        self.note_sent();
        match report {
            Report::Always => self.outbox.await_last(),
            Report::OnFailure if self.room != Room::Full => self.uncalled = Uncalled::Waiting,
            Report::OnFailure | Report::Never => {}
        }
        let length = self.outbox.len();
        match &mut self.cork {
            Cork::Open => {
                self.cork = Cork::ForTick { at_once: AT_ONCE };
                Due { now: true, is_first: true }
            }
            // A tick may be long: once the coarse clock has advanced, messages no longer wait for its end.
            Cork::ForTick { at_once } => {
                let is_among_first = *at_once > 0;
                *at_once = at_once.saturating_sub(1);
                let now = is_among_first || length >= LARGE_WRITE || self.clock != sys::coarse_time();
                Due { now, is_first: false }
            }
            Cork::AfterFirst => {
                self.cork = Cork::ForDelivery { since: None };
                Due { now: true, is_first: false }
            }
            Cork::ForDelivery { .. } => Due { now: length >= MAX_ANSWER_BYTES, is_first: false },
        }
    }

    /// To be called at the end of a tick, and after each delivered message of several. Returns whether to write now.
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
                let is_due = now.duration_since(since) >= MAX_ANSWER_DELAY;
                self.cork = Cork::ForDelivery { since: (!is_due).then_some(since) };
                is_due
            }
        }
    }

    /// Counts something that is sent, or that will be sent without a further call.
    pub fn note_sent(&mut self) {
        self.sent += 1;
    }

    /// How many messages have been sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the socket accepts nothing for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.room == Room::Full
    }

    /// The errno because of which nothing can be written any more.
    #[must_use]
    pub fn failure(&self) -> Option<i32> {
        if let Room::Failed { errno } = self.room { Some(errno) } else { None }
    }

    /// The socket may have room again. Returns whether it was full.
    pub fn has_room_again(&mut self) -> bool {
        let was_full = self.is_full();
        if was_full {
            self.room = Room::Free;
        }
        was_full
    }

    /// Registering with epoll has failed: writing must be retried later.
    pub fn watch_failed(&mut self) {
        if self.has_room_again() {
            self.outbox.set_must_retry();
        }
    }

    /// Whether there is something that can be written.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.is_full() && !self.outbox.is_empty()
    }

    /// Writes as much as fits. The rest stays queued; as with the builtin, a later failure to write it is reported
    /// only to callbacks.
    pub fn write(&mut self, socket: BorrowedFd) -> Attempt {
        self.clock = sys::coarse_time();
        let (was_full, before) = (self.is_full(), self.outbox.len());
        let outcome = self.outbox.write(socket);
        let has_advanced = self.outbox.len() < before;
        let uncalled = std::mem::take(&mut self.uncalled);
        match &outcome {
            Ok(is_all) => self.room = if *is_all { Room::Free } else { Room::Full },
            Err(error) => {
                // Nothing can be sent any more. The caller reports the failure to the callbacks.
                self.room = Room::Failed { errno: sys::errno(error) };
                self.uncalled = if uncalled == Uncalled::Waiting { Uncalled::Lost } else { Uncalled::None };
                self.outbox.fail();
                // A message that was cut short cannot be continued. The other end reads end-of-file; this one can
                // still read.
                let _ = shutdown(socket.as_raw_fd(), Shutdown::Write);
            }
        }
        Attempt { outcome: outcome.map(drop), fullness_changed: was_full != self.is_full(), has_advanced }
    }

    /// Whether a message with [`Report::OnFailure`] has just been lost. Resets this.
    pub fn take_lost(&mut self) -> bool {
        let is_lost = self.uncalled == Uncalled::Lost;
        if is_lost {
            self.uncalled = Uncalled::None;
        }
        is_lost
    }

    /// Keeps a failure that cannot be reported to JavaScript now.
    pub fn keep_failure(&mut self, errno: i32) {
        self.unreported = Some(errno);
    }

    /// Takes the errno of a failure that has not been reported.
    pub fn take_unreported(&mut self) -> Option<i32> {
        self.unreported.take()
    }

    /// Writes everything, blocking until `deadline` at most. The process may be exiting.
    pub fn write_out(&mut self, socket: BorrowedFd, deadline: Instant) {
        let outbox = &mut self.outbox;
        outbox.handles.stop_waiting();
        let mut may_read = true;
        while !outbox.is_empty() && outbox.write(socket).is_ok() && !outbox.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if outbox.must_retry() {
                std::thread::sleep(RETRY_DELAY.min(left));
            } else {
                may_read = ancillary::wait_for_room(socket, left, may_read);
            }
        }
    }
}
