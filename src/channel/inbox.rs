//! What has been read: a growing buffer, cut into messages without copying them.

use std::ops::Range;

use memchr::memchr;

use super::Mode;

/// Read at once, bytes; it grows to `LARGE` while reads fill it.
const SMALL: usize = 64 * 1024;
const LARGE: usize = 256 * 1024;
/// A buffer that has grown past this is given back when it is empty, bytes.
const KEPT: usize = 1 << 20;
/// The length before a message in advanced mode, bytes.
const PREFIX: usize = 4;

/// A message is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The messages of one end of a channel, as they come in.
#[derive(Debug)]
pub struct Inbox {
    mode: Mode,
    /// Always initialised, so that it can be read into.
    buffer: Vec<u8>,
    /// What has come and has not been taken.
    start: usize,
    end: usize,
    /// Up to here there is no end of a line.
    searched: usize,
    limit: usize,
}

impl Inbox {
    /// Messages of at most `limit` bytes.
    #[must_use]
    pub fn new(mode: Mode, limit: usize) -> Self {
        Self { mode, buffer: vec![], start: 0, end: 0, searched: 0, limit }
    }

    /// The longest message, bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Room to read into.
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

    /// Moves an unfinished message to the front, or doubles the buffer under it: each byte moves a bounded number of times.
    fn make_room(&mut self) {
        let length = self.end - self.start;
        if length * 2 <= self.buffer.len() && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
        } else {
            // Zeroed by the kernel where it is large, and only as far as it is used.
            let mut larger = vec![0; (self.buffer.len() * 2).max(SMALL)];
            if let Some(front) = larger.get_mut(..length) {
                front.copy_from_slice(self.unread());
            }
            self.buffer = larger;
        }
        // Frames are not searched for.
        self.searched = self.searched.saturating_sub(self.start);
        (self.start, self.end) = (0, length);
    }

    /// So many bytes were read into the room.
    pub fn add(&mut self, received: usize) {
        self.end = (self.end + received).min(self.buffer.len());
        if self.end == self.buffer.len() && self.start == 0 && self.buffer.len() < LARGE {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether a message has begun and not ended.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.start != self.end
    }

    /// The bytes of a message that [`Inbox::take`] gave.
    #[must_use]
    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.buffer.get(range.clone()).unwrap_or_default()
    }

    /// Hands over the buffer itself where a message that [`Inbox::take`] gave is most of it, and nothing follows the message.
    pub fn give_away(&mut self, message: &Range<usize>) -> Option<Vec<u8>> {
        if self.is_partial() || message.end != self.end || message.len() < KEPT.max(self.buffer.len() / 4) {
            return None;
        }
        self.clear();
        Some(std::mem::take(&mut self.buffer))
    }

    /// Drops what has come.
    pub fn clear(&mut self) {
        (self.start, self.end, self.searched) = (0, 0, 0);
    }

    /// Takes all complete messages: their places in the buffer, in order, without length or newline.
    ///
    /// # Errors
    /// A message is longer than the limit; nothing more can be taken then.
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
                // What has begun may be too long already.
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
