//! What is to be written: coalesced bytes, the descriptors that travel with some of them, and the messages whose writing
//! somebody waits for.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use super::ancillary;
use super::handles::{Flight, Handles, Missed, NeverSent};

/// A buffer that has grown past this is given back when it is empty, bytes.
const KEPT: usize = 1 << 20;

/// So many bytes go at most with several descriptors: the kernel takes them as one piece or not at all, and they are read as one,
/// so that no descriptor is parted from its message.
const TOGETHER: usize = 16 * 1024;

/// The queue of one end of a channel. Positions count the bytes of the stream from its beginning.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How many of `bytes` are written.
    written: usize,
    /// The position of the first of `bytes`.
    base: u64,
    /// The ends of the messages whose writing is awaited.
    awaited: VecDeque<u64>,
    /// Descriptors, and the position of the byte that each goes with.
    attached: VecDeque<(u64, Rc<OwnedFd>)>,
    /// The handles that the other end has not acknowledged.
    pub handles: Handles,
    /// Those that a native end has missed, with their messages: they are sent again a little later, when it may have room.
    missed: VecDeque<(Flight, Vec<u8>)>,
    /// The kernel takes no more for now, though the socket is not full.
    is_crowded: bool,
    /// Nothing can be written any more.
    has_failed: bool,
}

/// What became of a handle that the other end has not got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is sent again.
    Again,
    /// It is sent again by [`Outbox::repeat_missed`].
    Later,
    /// It is not, and neither is its message.
    Lost(u32),
}

impl Outbox {
    /// How many bytes are not written yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where a message is to be appended.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The position of the next byte that is appended.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Has [`Outbox::take_done`] count the message that was appended last.
    pub fn await_last(&mut self) {
        self.awaited.push_back(self.end());
    }

    /// Sends `fd` along with the byte at `position`.
    pub fn attach(&mut self, position: u64, fd: OwnedFd) {
        self.attached.push_back((position, Rc::new(fd)));
    }

    /// Sends `fd` along with the message that begins at `start`, the last one, until the other end has it.
    pub fn attach_handle(&mut self, start: u64, fd: OwnedFd) {
        let fd = Rc::new(fd);
        self.attached.push_back((start, Rc::clone(&fd)));
        self.handles.begin(start, fd);
    }

    /// A message has been appended.
    pub fn appended(&mut self) {
        self.handles.appended(self.end());
    }

    /// The other end has got the oldest `count` handles.
    ///
    /// # Errors
    /// Not so many have been sent.
    pub fn taken(&mut self, count: u32) -> Result<(), NeverSent> {
        let outcome = self.handles.taken(count, self.position());
        self.forget_written();
        outcome
    }

    /// The other end has not got the oldest handle.
    ///
    /// # Errors
    /// None has been sent.
    pub fn missed(&mut self) -> Result<Outcome, NeverSent> {
        let flight = match self.handles.missed(self.position())? {
            Missed::Repeat(flight) if self.has_failed => return Ok(Outcome::Lost(flight.number)),
            Missed::Repeat(flight) => flight,
            Missed::GivenUp(number) => return Ok(Outcome::Lost(number)),
        };
        let Range { start, end } = flight.message();
        let message = (start - self.base) as usize..(end - self.base) as usize;
        let message = self.bytes.get(message).unwrap_or_default().to_vec();
        if self.handles.is_pipelined() {
            self.missed.push_back((flight, message));
            return Ok(Outcome::Later);
        }
        self.repeat(flight, &[], &message);
        Ok(Outcome::Again)
    }

    /// Sends the handles that a native end has missed again. `announce` gives what goes before the one of this number.
    pub fn repeat_missed(&mut self, announce: impl Fn(u32) -> Vec<u8>) {
        for (flight, message) in std::mem::take(&mut self.missed) {
            let announcement = announce(flight.number);
            self.repeat(flight, &announcement, &message);
        }
    }

    fn repeat(&mut self, flight: Flight, announcement: &[u8], message: &[u8]) {
        let announced = announcement.len() as u64;
        let bytes = [announcement, message].concat();
        let begin = self.insert(self.handles.place_for(&flight), &bytes);
        let start = begin + announced;
        let index = self.attached.partition_point(|(at, _)| *at <= start);
        self.attached.insert(index, (start, Rc::clone(&flight.fd)));
        self.handles.repeated(flight, start..begin + bytes.len() as u64);
    }

    /// Whether handles that a native end has missed wait to be sent again.
    #[must_use]
    pub fn has_missed(&self) -> bool {
        !self.missed.is_empty()
    }

    /// Whether there are handles that the other end has not acknowledged.
    #[must_use]
    pub fn has_handles(&self) -> bool {
        self.has_missed() || !self.handles.is_empty()
    }

    /// Appends a message that does not wait for acknowledgements.
    pub fn push_urgent(&mut self, message: &[u8]) {
        if self.has_failed {
            return;
        }
        self.insert(self.handles.limit(), message);
    }

    /// Puts `message` in between two messages, or without a position behind all. Returns its position.
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

    /// The kernel would not tell of room in the socket: what is unwritten is to be tried again later.
    pub fn set_crowded(&mut self) {
        self.is_crowded = true;
    }

    /// Whether the kernel takes no more for now, though the socket is not full; what is unwritten is to be tried again later.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.is_crowded
    }

    /// How far it is written.
    fn position(&self) -> u64 {
        self.base + self.written as u64
    }

    /// How many of the awaited messages have been written since it was asked last.
    pub fn take_done(&mut self) -> u32 {
        let position = self.position();
        let mut done = 0;
        while self.awaited.front().is_some_and(|end| *end <= position) {
            self.awaited.pop_front();
            done += 1;
        }
        done
    }

    /// Writes until everything that may be is written or the socket is full. `false`: it is full.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`; what was not written stays.
    pub fn write(&mut self, socket: BorrowedFd) -> io::Result<bool> {
        let mut outcome = Ok(true);
        self.is_crowded = false;
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
                // The kernel is short of memory, or the descriptors under way are too many, others' among them: nothing tells
                // when there is room again.
                Err(error)
                    if matches!(
                        error.raw_os_error(),
                        Some(libc::ETOOMANYREFS | libc::ENOBUFS | libc::ENOMEM)
                    ) =>
                {
                    self.is_crowded = true;
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

    /// How many of `bytes` may be written.
    fn until(&self) -> usize {
        let limit = self.handles.limit().map_or(self.bytes.len(), |limit| (limit - self.base) as usize);
        limit.min(self.bytes.len())
    }

    /// One write, up to `until` or the next byte that has a descriptor with it; to a native end, with the descriptors of several
    /// messages.
    fn write_once(&mut self, socket: BorrowedFd, until: usize) -> io::Result<usize> {
        let position = self.position();
        let mut due = self.attached.partition_point(|(at, _)| *at <= position);
        let mut until = until;
        if due > 0 && self.handles.is_pipelined() {
            until = until.min(self.written + TOGETHER);
            let end = self.base + until as u64;
            due = self.attached.partition_point(|(at, _)| *at < end).min(ancillary::MOST);
        }
        let until = self.attached.get(due).map_or(until, |(at, _)| until.min((at - self.base) as usize));
        let bytes = self.bytes.get(self.written..until).unwrap_or_default();
        let fds: Vec<_> = self.attached.iter().take(due).map(|(_, fd)| fd.as_raw_fd()).collect();
        let written = ancillary::send(socket, bytes, &fds)?;
        self.attached.drain(..due);
        Ok(written)
    }

    fn forget_written(&mut self) {
        let kept = self.handles.kept_from().map_or(self.written, |from| (from - self.base) as usize);
        if self.has_failed {
            return;
        }
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

    /// Writing has failed for good: drops what is not written. What has been sent may still be acknowledged: the other end's
    /// words may be in the socket already.
    pub fn fail(&mut self) {
        let position = self.position();
        self.handles.forget_unsent(position);
        let handles = std::mem::take(&mut self.handles);
        *self = Self { base: position, has_failed: true, handles, ..Self::default() };
    }

    /// Drops everything: nobody will read it.
    pub fn clear(&mut self) {
        self.base = self.end();
        *self = Self { base: self.base, ..Self::default() };
    }
}
