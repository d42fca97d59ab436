//! A stream gives the same messages however it is divided into reads, and memory stays bounded.

#![no_main]

use child_process_rs::channel::Mode;
use child_process_rs::channel::inbox::{Inbox, TooLong};
use libfuzzer_sys::fuzz_target;

/// More than the inbox may allocate beyond a multiple of the limit.
const SLACK: usize = 1 << 20;
/// A stream is repeated up to this many bytes.
const LONGEST: usize = 300 << 10;
/// The most pieces that a stream is divided into.
const MAX_PIECES: usize = 2000;

struct Reader {
    inbox: Inbox,
    limit: usize,
    messages: Vec<Vec<u8>>,
}

impl Reader {
    fn new(mode: Mode, limit: usize) -> Self {
        Self { inbox: Inbox::new(mode, limit), limit, messages: vec![] }
    }

    /// Feeds `bytes` to the inbox, as many at once as there is room for, and takes complete messages.
    fn read(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            let room = self.inbox.room();
            assert!(!room.is_empty() && room.len() <= self.limit.saturating_mul(4).saturating_add(SLACK));
            let length = room.len().min(bytes.len());
            room[..length].copy_from_slice(&bytes[..length]);
            self.inbox.add(length);
            bytes = &bytes[length..];
            let mut ranges = vec![];
            let taken = self.inbox.take(&mut ranges);
            for range in &ranges {
                assert!(range.len() <= self.limit);
                self.messages.push(self.inbox.bytes(range).to_vec());
            }
            taken?;
        }
        Ok(())
    }
}

/// The result of a simple implementation: the messages, and whether one is too long or the last is unfinished.
fn expected(mode: Mode, limit: usize, mut bytes: &[u8]) -> (Vec<Vec<u8>>, Result<bool, TooLong>) {
    let mut messages: Vec<Vec<u8>> = vec![];
    loop {
        let length = match mode {
            Mode::Json => bytes.iter().position(|byte| *byte == b'\n'),
            Mode::Advanced => bytes.first_chunk().map(|prefix| u32::from_be_bytes(*prefix) as usize),
        };
        let (before, after) = match mode {
            Mode::Json => (0, 1),
            Mode::Advanced => (4, 0),
        };
        match length {
            Some(length) if length > limit => return (messages, Err(TooLong)),
            Some(length) if bytes.len() >= before + length + after => {
                messages.push(bytes[before..before + length].to_vec());
                bytes = &bytes[before + length + after..];
            }
            None if mode == Mode::Json && bytes.len() > limit => return (messages, Err(TooLong)),
            _ => return (messages, Ok(!bytes.is_empty())),
        }
    }
}

// The first bytes select the mode, the limit, how often the stream is repeated and how it is divided.
fuzz_target!(|data: &[u8]| {
    let Some((&[how, limit, cut, repeat], stream)) = data.split_first_chunk::<4>() else {
        return;
    };
    let mode = if how & 1 == 0 { Mode::Json } else { Mode::Advanced };
    let limit = if how & 2 == 0 { usize::MAX } else { usize::from(limit) << (how >> 4) };
    // Long streams reach the ends of the buffer. Only some inputs use them, because they take long.
    let times = if how & 4 == 0 { 1 } else { 1 + usize::from(repeat) * 16 };
    let stream = stream.repeat(times.min(1 + LONGEST / (stream.len() + 1)));

    let (messages, outcome) = expected(mode, limit, &stream);
    let mut whole = Reader::new(mode, limit);
    let whole_outcome = whole.read(&stream);
    assert!(whole.messages == messages);
    assert_eq!(whole_outcome, outcome.map(drop));

    let mut pieces = Reader::new(mode, limit);
    let size = if how & 8 == 0 { 1 + usize::from(cut) } else { 1 + usize::from(cut) * 509 };
    let size = size.max(stream.len() / MAX_PIECES);
    let pieces_outcome = stream.chunks(size).try_for_each(|piece| pieces.read(piece));
    assert!(pieces.messages == messages);
    assert_eq!(pieces_outcome, whole_outcome);
    if let Ok(is_partial) = outcome {
        assert_eq!(pieces.inbox.is_partial(), is_partial);
        assert_eq!(whole.inbox.is_partial(), is_partial);
    }
});
