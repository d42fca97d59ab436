//! The receive buffer: it grows as needed, and is split into messages without copying them.

use std::ops::Range;

use memchr::memchr;

use super::Mode;

/// How many bytes are read at once. The buffer grows up to `LARGE` while reads fill it.
const SMALL: usize = 64 * 1024;
const LARGE: usize = 256 * 1024;
/// A buffer of more bytes than this is freed when it is empty.
const KEPT: usize = 1 << 20;
/// The size of the length before a message in advanced mode, bytes.
const PREFIX: usize = 4;

/// A message is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The receive buffer of one end of a channel.
#[derive(Debug)]
pub struct Inbox {
    mode: Mode,
    /// All of it is initialised, so that reads can fill any part.
    buffer: Vec<u8>,
    /// The range of bytes that have been received and not been taken.
    start: usize,
    end: usize,
    /// Up to this position the buffer has been searched for a newline.
    searched: usize,
    limit: usize,
}

impl Inbox {
    /// An inbox that accepts messages of at most `limit` bytes.
    #[must_use]
    pub fn new(mode: Mode, limit: usize) -> Self {
        Self { mode, buffer: vec![], start: 0, end: 0, searched: 0, limit }
    }

    /// The longest message that is accepted, bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The free part of the buffer, to read into.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end, self.searched) = (0, 0, 0);
            if self.buffer.len() > KEPT {
                self.buffer = vec![];
            }
        }
        if self.buffer.len() - self.end < SMALL / 2 {
            self.make_room();
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Moves an unfinished message to the front, or doubles the buffer. Each byte is moved a bounded number of times.
    fn make_room(&mut self) {
        let length = self.end - self.start;
        if length * 2 <= self.buffer.len() && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
        } else {
            // A large buffer comes zeroed from the kernel, page by page as it is used.
            let mut larger = vec![0; (self.buffer.len() * 2).max(SMALL)];
            if let Some(front) = larger.get_mut(..length) {
                front.copy_from_slice(self.unread());
            }
            self.buffer = larger;
        }
        // In advanced mode `searched` stays 0.
        self.searched = self.searched.saturating_sub(self.start);
        (self.start, self.end) = (0, length);
    }

    /// `received` bytes have been read into [`Inbox::room`].
    pub fn add(&mut self, received: usize) {
        self.end = (self.end + received).min(self.buffer.len());
        if self.end == self.buffer.len() && self.start == 0 && self.buffer.len() < LARGE {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether the buffer holds an unfinished message.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.start != self.end
    }

    /// The bytes of a message, by the range that [`Inbox::take`] returned.
    #[must_use]
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.buffer.get(range.clone()).unwrap_or_default()
    }

    /// Gives away the whole buffer if nothing follows `message` (from [`Inbox::take`]), and that is large and at least
    /// a quarter of the buffer; this saves a copy.
    pub fn give_away(&mut self, message: &Range<usize>) -> Option<Vec<u8>> {
        if self.is_partial() || message.end != self.end || message.len() < KEPT.max(self.buffer.len() / 4) {
            return None;
        }
        self.clear();
        Some(std::mem::take(&mut self.buffer))
    }

    /// Drops everything in the buffer.
    pub fn clear(&mut self) {
        (self.start, self.end, self.searched) = (0, 0, 0);
    }

    /// Takes all complete messages: appends their ranges in the buffer to `messages`, without length prefix or newline.
    ///
    /// # Errors
    /// A message is longer than the limit. Nothing more can be taken after that.
    pub fn take(&mut self, messages: &mut Vec<Range<usize>>) -> Result<(), TooLong> {
        match self.mode {
            Mode::Json => self.take_lines(messages),
            Mode::Advanced => self.take_frames(messages),
        }
    }

    fn take_lines(&mut self, messages: &mut Vec<Range<usize>>) -> Result<(), TooLong> {
        loop {
            let from = self.searched.max(self.start);
            let fresh = self.buffer.get(from..self.end).unwrap_or_default();
            let Some(newline) = memchr(b'\n', fresh).map(|index| from + index) else {
                self.searched = self.end;
                // Even unfinished, a line may already be too long.
                return if self.end - self.start > self.limit { Err(TooLong) } else { Ok(()) };
            };
            if newline - self.start > self.limit {
                return Err(TooLong);
            }
            messages.push(self.start..newline);
            self.start = newline + 1;
        }
    }

    fn take_frames(&mut self, messages: &mut Vec<Range<usize>>) -> Result<(), TooLong> {
        while let Some((prefix, rest)) = self.unread().split_first_chunk::<PREFIX>() {
            let length = u32::from_be_bytes(*prefix) as usize;
            if length > self.limit {
                return Err(TooLong);
            }
            if rest.len() < length {
                break;
            }
            let begin = self.start + PREFIX;
            messages.push(begin..begin + length);
            self.start = begin + length;
        }
        Ok(())
    }
}
