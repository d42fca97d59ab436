//! What is to be written: coalesced bytes, the descriptors that travel with some of them, and the messages whose writing
//! somebody waits for.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use super::ancillary;

/// A buffer that has grown past this is given back when it is empty, bytes.
const KEPT: usize = 1 << 20;

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
    attached: VecDeque<(u64, OwnedFd)>,
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
        self.attached.push_back((position, fd));
    }

    /// Whether a descriptor goes with the byte at `position`, the last that one goes with.
    #[must_use]
    pub fn has_attached(&self, position: u64) -> bool {
        self.attached.back().is_some_and(|(at, _)| *at == position)
    }

    /// How many of the awaited messages have been written since it was asked last.
    pub fn take_done(&mut self) -> u32 {
        let position = self.base + self.written as u64;
        let mut done = 0;
        while self.awaited.front().is_some_and(|end| *end <= position) {
            self.awaited.pop_front();
            done += 1;
        }
        done
    }

    /// Writes until everything is written or the socket is full. Says whether everything is.
    ///
    /// # Errors
    /// `EPIPE`, `ECONNRESET`, `ETOOMANYREFS`; what was not written stays.
    pub fn write(&mut self, socket: BorrowedFd) -> io::Result<bool> {
        let mut outcome = Ok(true);
        while !self.is_empty() {
            match self.write_once(socket) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    outcome = Ok(false);
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

    /// One write, up to the next byte that has a descriptor with it.
    fn write_once(&mut self, socket: BorrowedFd) -> io::Result<usize> {
        let position = self.base + self.written as u64;
        let due = self.attached.partition_point(|(at, _)| *at <= position);
        let until = self.attached.get(due).map_or(self.bytes.len(), |(at, _)| (at - self.base) as usize);
        let bytes = self.bytes.get(self.written..until).unwrap_or_default();
        let fds: Vec<_> = self.attached.iter().take(due).map(|(_, fd)| fd.as_raw_fd()).collect();
        let written = ancillary::send(socket, bytes, &fds)?;
        self.attached.drain(..due);
        Ok(written)
    }

    fn forget_written(&mut self) {
        if self.is_empty() {
            self.base += self.bytes.len() as u64;
            self.written = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        } else if self.written > self.bytes.len() / 2 {
            self.base += self.written as u64;
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Drops everything: nobody will read it.
    pub fn clear(&mut self) {
        self.base = self.end();
        *self = Self { base: self.base, ..Self::default() };
    }
}
