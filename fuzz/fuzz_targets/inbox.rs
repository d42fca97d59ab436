//! However a stream is cut into reads, the same messages come out of it, and memory stays within bounds.

#![no_main]

use child_process_rs::channel::Mode;
use child_process_rs::channel::inbox::{Inbox, TooLong};
use libfuzzer_sys::fuzz_target;

/// More than one read can ever add to an unfinished message.
const SLACK: usize = 1 << 20;
/// The longest stream that is repeated, bytes, and the most pieces that one is cut into.
const LONGEST: usize = 300 << 10;
const MOST_PIECES: usize = 2000;

struct Reader {
    inbox: Inbox,
    limit: usize,
    messages: Vec<Vec<u8>>,
}

impl Reader {
    fn new(mode: Mode, limit: usize) -> Self {
        Self { inbox: Inbox::new(mode, limit), limit, messages: vec![] }
    }

    /// Reads `bytes`, as many at once as there is room, and takes what is complete.
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

/// What a plain reading of the whole gives: the messages, and whether one is too long or unfinished.
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

// The first bytes say the mode, the limit, how often the stream is repeated and how it is cut.
fuzz_target!(|data: &[u8]| {
    let Some((&[how, limit, cut, repeat], stream)) = data.split_first_chunk::<4>() else {
        return;
    };
    let mode = if how & 1 == 0 { Mode::Json } else { Mode::Advanced };
    let limit = if how & 2 == 0 { usize::MAX } else { usize::from(limit) << (how >> 4) };
    // Long streams meet the ends of the buffer; now and then, because they take long.
    let times = if how & 4 == 0 { 1 } else { 1 + usize::from(repeat) * 16 };
    let stream = stream.repeat(times.min(1 + LONGEST / (stream.len() + 1)));

    let (messages, outcome) = expected(mode, limit, &stream);
    let mut whole = Reader::new(mode, limit);
    let whole_outcome = whole.read(&stream);
    assert!(whole.messages == messages);
    assert_eq!(whole_outcome, outcome.map(drop));

    let mut pieces = Reader::new(mode, limit);
    let size = if how & 8 == 0 { 1 + usize::from(cut) } else { 1 + usize::from(cut) * 509 };
    let size = size.max(stream.len() / MOST_PIECES);
    let pieces_outcome = stream.chunks(size).try_for_each(|piece| pieces.read(piece));
    assert!(pieces.messages == messages);
    assert_eq!(pieces_outcome, whole_outcome);
    if let Ok(is_partial) = outcome {
        assert_eq!(pieces.inbox.is_partial(), is_partial);
        assert_eq!(whole.inbox.is_partial(), is_partial);
    }
});
