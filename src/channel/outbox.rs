//! The send queue: the bytes of appended messages, the descriptors attached to some of them, and the messages for
//! which a callback waits.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use super::ancillary;
use super::handles::{Handles, InFlight, Missed, NeverSent};

/// A buffer of more bytes than this is freed when it is empty.
const KEPT: usize = 1 << 20;

/// The most bytes that are sent with several descriptors. The kernel accepts and delivers that many in one piece or
/// not at all, so no descriptor is separated from its message.
const MAX_WITH_DESCRIPTORS: usize = 16 * 1024;

/// The send queue of one end of a channel. A position is the number of bytes from the beginning of the stream.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How many of `bytes` have been written to the socket.
    written: usize,
    /// The position of the first byte in `bytes`.
    base: u64,
    /// The end positions of the messages for which a callback waits.
    awaited: VecDeque<u64>,
    /// Unsent descriptors, each with the position of the byte that it is attached to.
    attached: VecDeque<(u64, Rc<OwnedFd>)>,
    /// The handles in flight.
    pub handles: Handles,
    /// The handles that a native end did not receive, with their messages. They are sent again a little later, when
    /// the other process may have room for descriptors.
    missed: VecDeque<(InFlight, Vec<u8>)>,
    /// The kernel refused to take more although the socket is not full, so epoll will not report when it can: retry
    /// later.
    must_retry: bool,
    /// Writing has failed for good.
    has_failed: bool,
}

/// What becomes of a handle that the other end did not receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is sent again at once.
    Again,
    /// It is sent again when [`Outbox::repeat_missed`] is called.
    Later,
    /// Neither it nor its message is sent again.
    Lost(u32),
}

impl Outbox {
    /// How many bytes have not been written yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The buffer to append a message to; [`Outbox::appended`] must be called next.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The position of the next byte that is appended.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Has [`Outbox::take_done`] count the message that was appended last, once it is written.
    pub fn await_last(&mut self) {
        self.awaited.push_back(self.end());
    }

    /// Attaches `fd` to the byte at `position`.
    pub fn attach(&mut self, position: u64, fd: OwnedFd) {
        self.attached.push_back((position, Rc::new(fd)));
    }

    /// Attaches the handle `fd` to the last message, which begins at `start`, and keeps it until it is acknowledged.
    pub fn attach_handle(&mut self, start: u64, fd: OwnedFd) {
        let fd = Rc::new(fd);
        self.attached.push_back((start, Rc::clone(&fd)));
        self.handles.begin(start, fd);
    }

    /// A message has been appended.
    pub fn appended(&mut self) {
        self.handles.appended(self.end());
    }

    /// The other end has received the oldest `count` handles.
    ///
    /// # Errors
    /// Fewer have been sent.
    pub fn taken(&mut self, count: u32) -> Result<(), NeverSent> {
        let outcome = self.handles.taken(count, self.position());
        self.forget_written();
        outcome
    }

    /// The other end did not receive the oldest handle.
    ///
    /// # Errors
    /// None has been sent.
    pub fn missed(&mut self) -> Result<Outcome, NeverSent> {
        let handle = match self.handles.missed(self.position())? {
            Missed::Repeat(handle) if self.has_failed => return Ok(Outcome::Lost(handle.number)),
            Missed::Repeat(handle) => handle,
            Missed::GivenUp(number) => return Ok(Outcome::Lost(number)),
        };
        let Range { start, end } = handle.message();
        let message = (start - self.base) as usize..(end - self.base) as usize;
        let message = self.bytes.get(message).unwrap_or_default().to_vec();
        if self.handles.is_pipelined() {
            self.missed.push_back((handle, message));
            return Ok(Outcome::Later);
        }
        self.repeat(handle, &[], &message);
        Ok(Outcome::Again)
    }

    /// Sends the handles again that a native end did not receive. `announce` returns the bytes that announce a
    /// handle's number.
    pub fn repeat_missed(&mut self, announce: impl Fn(u32) -> Vec<u8>) {
        for (handle, message) in std::mem::take(&mut self.missed) {
            let announcement = announce(handle.number);
            self.repeat(handle, &announcement, &message);
        }
    }

    fn repeat(&mut self, handle: InFlight, announcement: &[u8], message: &[u8]) {
        let announced = announcement.len() as u64;
        let bytes = [announcement, message].concat();
        let begin = self.insert(self.handles.place_for(&handle), &bytes);
        let start = begin + announced;
        let index = self.attached.partition_point(|(at, _)| *at <= start);
        self.attached.insert(index, (start, Rc::clone(&handle.fd)));
        self.handles.repeated(handle, start..begin + bytes.len() as u64);
    }

    /// Whether there are handles that wait for [`Outbox::repeat_missed`].
    #[must_use]
    pub fn has_missed(&self) -> bool {
        !self.missed.is_empty()
    }

    /// Whether any handle has not been acknowledged.
    #[must_use]
    pub fn has_handles(&self) -> bool {
        self.has_missed() || !self.handles.is_empty()
    }

    /// Queues a message ahead of everything that waits for an acknowledgement.
    pub fn push_urgent(&mut self, message: &[u8]) {
        if self.has_failed {
            return;
        }
        self.insert(self.handles.limit(), message);
    }

    /// Inserts `message` at a message boundary, or at the end if no position is given. Returns its position.
    fn insert(&mut self, at: Option<u64>, message: &[u8]) -> u64 {
        let end = self.end();
        let position = at.unwrap_or(end).min(end);
        let length = message.len() as u64;
        let index = (position - self.base) as usize;
        self.bytes.splice(index..index, message.iter().copied());
        for (at, _) in &mut self.attached {
            if *at >= position {
                *at += length;
            }
        }
        for awaited in &mut self.awaited {
            if *awaited > position {
                *awaited += length;
            }
        }
        self.handles.shift(position, length);
        position
    }

    /// Epoll will not report when the socket has room: writing must be retried later.
    pub fn set_must_retry(&mut self) {
        self.must_retry = true;
    }

    /// Whether writing must be retried later, because epoll will not report when the kernel accepts more.
    #[must_use]
    pub fn must_retry(&self) -> bool {
        self.must_retry
    }

    /// The position up to which everything has been written.
    fn position(&self) -> u64 {
        self.base + self.written as u64
    }

    /// How many of the awaited messages have been written since the last call.
    pub fn take_done(&mut self) -> u32 {
        let position = self.position();
        let mut done = 0;
        while self.awaited.front().is_some_and(|end| *end <= position) {
            self.awaited.pop_front();
            done += 1;
        }
        done
    }

    /// Writes everything that may be written now, or until the socket is full. Returns `false` if it is full.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`; unwritten bytes stay in the queue.
    pub fn write(&mut self, socket: BorrowedFd) -> io::Result<bool> {
        let mut outcome = Ok(true);
        self.must_retry = false;
        loop {
            let until = self.until();
            if self.written >= until {
                break;
            }
            match self.write_once(socket, until) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    outcome = Ok(false);
                    break;
                }
                // The kernel is out of memory, or too many descriptors of this user are in flight. Epoll does not
                // report when that has changed.
                Err(error)
                    if matches!(
                        error.raw_os_error(),
                        Some(libc::ETOOMANYREFS | libc::ENOBUFS | libc::ENOMEM)
                    ) =>
                {
                    self.must_retry = true;
                    break;
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.forget_written();
        outcome
    }

    /// How many of `bytes` may be written now.
    fn until(&self) -> usize {
        let limit = self.handles.limit().map_or(self.bytes.len(), |limit| (limit - self.base) as usize);
        limit.min(self.bytes.len())
    }

    /// Writes once, up to `until`, but not past the next byte with a descriptor. To a native end, the descriptors of
    /// several messages are sent together.
    fn write_once(&mut self, socket: BorrowedFd, until: usize) -> io::Result<usize> {
        let position = self.position();
        let mut due = self.attached.partition_point(|(at, _)| *at <= position);
        let mut until = until;
        if due > 0 && self.handles.is_pipelined() {
            until = until.min(self.written + MAX_WITH_DESCRIPTORS);
            let end = self.base + until as u64;
            due = self.attached.partition_point(|(at, _)| *at < end).min(ancillary::MAX_DESCRIPTORS);
        }
        let until = self.attached.get(due).map_or(until, |(at, _)| until.min((at - self.base) as usize));
        let bytes = self.bytes.get(self.written..until).unwrap_or_default();
        let fds: Vec<_> = self.attached.iter().take(due).map(|(_, fd)| fd.as_raw_fd()).collect();
        let written = ancillary::send(socket, bytes, &fds)?;
        self.attached.drain(..due);
        Ok(written)
    }

    fn forget_written(&mut self) {
        // Handles that were sent may then begin before `base`.
        if self.has_failed {
            return;
        }
        let kept = self.handles.kept_from().map_or(self.written, |from| (from - self.base) as usize);
        let free = self.written.min(kept);
        if free == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        } else if free > self.bytes.len() / 2 {
            self.bytes.drain(..free);
        } else {
            return;
        }
        self.base += free as u64;
        self.written -= free;
    }

    /// Writing has failed for good: drops everything unwritten. Handles that were sent stay, because their
    /// acknowledgements may already be in the socket.
    pub fn fail(&mut self) {
        let position = self.position();
        self.handles.forget_unsent(position);
        let handles = std::mem::take(&mut self.handles);
        *self = Self { base: position, has_failed: true, handles, ..Self::default() };
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.base = self.end();
        *self = Self { base: self.base, ..Self::default() };
    }
}
