use std::ops::Range;

use crate::channel::Mode;
use crate::channel::inbox::{Inbox, TooLong};

const KB: usize = 1 << 10;
const MB: usize = 1 << 20;
const NO_LIMIT: usize = usize::MAX;

/// Puts all of `bytes` in, however many reads that takes.
fn feed(inbox: &mut Inbox, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let room = inbox.room();
        let length = room.len().min(bytes.len());
        room[..length].copy_from_slice(&bytes[..length]);
        inbox.add(length);
        bytes = &bytes[length..];
    }
}

fn take(inbox: &mut Inbox) -> Result<Vec<Vec<u8>>, TooLong> {
    let mut ranges: Vec<Range<usize>> = vec![];
    inbox.take(&mut ranges)?;
    Ok(ranges.iter().map(|range| inbox.bytes(range).to_vec()).collect())
}

/// The messages of a stream that comes in `pieces`, taken after each.
fn taken_in_pieces<'a>(mode: Mode, limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut inbox = Inbox::new(mode, limit);
    let mut messages = vec![];
    for piece in pieces {
        feed(&mut inbox, piece);
        messages.extend(take(&mut inbox).unwrap());
    }
    assert!(!inbox.is_partial());
    messages
}

fn stream(mode: Mode, messages: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![];
    for message in messages {
        if mode == Mode::Advanced {
            bytes.extend_from_slice(&(message.len() as u32).to_be_bytes());
        }
        bytes.extend_from_slice(message);
        if mode == Mode::Json {
            bytes.push(b'\n');
        }
    }
    bytes
}

const MODES: [Mode; 2] = [Mode::Json, Mode::Advanced];
const MESSAGES: [&[u8]; 5] = [b"{\"a\":1}", b"", b"2", b"\"\xFF\0\"", b""];

#[test]
fn messages_split_at_any_two_bytes_come_whole_and_in_order() {
    for mode in MODES {
        let bytes = stream(mode, &MESSAGES);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(taken_in_pieces(mode, NO_LIMIT, pieces), MESSAGES, "{mode:?} {first} {second}");
            }
        }
    }
}

#[test]
fn messages_that_come_byte_by_byte_come_whole() {
    for mode in MODES {
        let bytes = stream(mode, &MESSAGES);
        assert_eq!(taken_in_pieces(mode, NO_LIMIT, bytes.chunks(1)), MESSAGES);
    }
}

#[test]
fn a_message_that_fills_the_buffer_exactly_and_its_neighbours() {
    for mode in MODES {
        let size = Inbox::new(mode, NO_LIMIT).room().len();
        for length in size - 6..=size + 2 {
            let long = vec![b'x'; length];
            let bytes = stream(mode, &[&long, b"next"]);
            let at_once = taken_in_pieces(mode, NO_LIMIT, [bytes.as_slice()]);
            assert_eq!(at_once, [&long[..], b"next"], "{mode:?} {length}");
            let end = stream(mode, &[&long]).len();
            let apart =
                taken_in_pieces(mode, NO_LIMIT, [&bytes[..end - 1], &bytes[end - 1..end], &bytes[end..]]);
            assert_eq!(apart, at_once);
        }
    }
}

#[test]
fn a_message_far_larger_than_the_buffer_comes_whole_after_one_and_before_one() {
    for mode in MODES {
        let long: Vec<u8> = (0..3 * MB).map(|i| b'a' + (i % 23) as u8).collect();
        let bytes = stream(mode, &[b"before", &long, b"after"]);
        for piece in [1000, 64 * KB, 100_001] {
            let messages = taken_in_pieces(mode, NO_LIMIT, bytes.chunks(piece));
            assert!(messages == [&b"before"[..], &long, b"after"], "{mode:?} {piece}");
        }
    }
}

#[test]
fn many_messages_of_one_read_come_in_order() {
    for mode in MODES {
        let texts: Vec<_> = (0..20_000).map(|i| i.to_string()).collect();
        let messages: Vec<_> = texts.iter().map(String::as_bytes).collect();
        let bytes = stream(mode, &messages);
        assert_eq!(taken_in_pieces(mode, NO_LIMIT, [bytes.as_slice()]), messages);
        // Taken after each read, with an unfinished message left over by most of them.
        assert_eq!(taken_in_pieces(mode, NO_LIMIT, bytes.chunks(48 * KB + 1)), messages);
    }
}

#[test]
fn a_message_of_exactly_the_limit_is_taken() {
    for mode in MODES {
        let bytes = stream(mode, &[b"12345678", b"1"]);
        assert_eq!(taken_in_pieces(mode, 8, [bytes.as_slice()]), [&b"12345678"[..], b"1"]);
        assert_eq!(taken_in_pieces(mode, 8, bytes.chunks(1)), [&b"12345678"[..], b"1"]);
    }
}

#[test]
fn a_message_one_over_the_limit_is_refused_after_those_before_it() {
    for mode in MODES {
        let mut inbox = Inbox::new(mode, 8);
        feed(&mut inbox, &stream(mode, &[b"1", b"12345678", b"123456789", b"2"]));
        let mut ranges = vec![];
        assert_eq!(inbox.take(&mut ranges), Err(TooLong));
        let before: Vec<_> = ranges.iter().map(|range| inbox.bytes(range)).collect();
        assert_eq!(before, [&b"1"[..], b"12345678"]);
    }
}

#[test]
fn a_line_without_an_end_is_refused_as_soon_as_it_is_over_the_limit() {
    let mut inbox = Inbox::new(Mode::Json, 8);
    feed(&mut inbox, b"12345678");
    assert_eq!(take(&mut inbox), Ok(vec![]));
    feed(&mut inbox, b"9");
    assert_eq!(take(&mut inbox), Err(TooLong));
}

#[test]
fn a_line_without_an_end_is_refused_at_once_even_after_others() {
    let mut inbox = Inbox::new(Mode::Json, 8);
    feed(&mut inbox, b"1\n123456789");
    let mut ranges = vec![];
    assert_eq!(inbox.take(&mut ranges), Err(TooLong));
    assert_eq!((ranges.len(), ranges.first()), (1, Some(&(0..1))));
}

#[test]
fn a_frame_over_the_limit_is_refused_by_its_length_alone() {
    let mut inbox = Inbox::new(Mode::Advanced, 8);
    feed(&mut inbox, &[0, 0, 0]);
    assert_eq!(take(&mut inbox), Ok(vec![]));
    feed(&mut inbox, &[9]);
    assert_eq!(take(&mut inbox), Err(TooLong));
}

#[test]
fn a_frame_that_claims_4_gib_takes_no_more_memory_than_what_came() {
    let mut inbox = Inbox::new(Mode::Advanced, u32::MAX as usize);
    feed(&mut inbox, &[0xFF; 4]);
    assert_eq!(take(&mut inbox), Ok(vec![]));
    assert!(inbox.room().len() <= 256 * KB);
}

#[test]
fn a_line_over_the_limit_keeps_memory_within_a_few_reads_of_the_limit() {
    let mut inbox = Inbox::new(Mode::Json, MB);
    let mut received = 0;
    while take(&mut inbox).is_ok() {
        let length = inbox.room().len();
        inbox.room().fill(b'x');
        inbox.add(length);
        received += length;
        assert!(received <= 4 * MB);
    }
}

#[test]
fn is_partial_between_the_begin_of_a_message_and_its_end() {
    for mode in MODES {
        let mut inbox = Inbox::new(mode, NO_LIMIT);
        assert!(!inbox.is_partial());
        let bytes = stream(mode, &[b"{}"]);
        for byte in &bytes[..bytes.len() - 1] {
            feed(&mut inbox, &[*byte]);
            assert_eq!(take(&mut inbox), Ok(vec![]));
            assert!(inbox.is_partial());
        }
        feed(&mut inbox, &bytes[bytes.len() - 1..]);
        assert_eq!(take(&mut inbox), Ok(vec![b"{}".to_vec()]));
        assert!(!inbox.is_partial());
    }
}

#[test]
fn a_dropped_beginning_leaves_nothing_behind() {
    for mode in MODES {
        let mut inbox = Inbox::new(mode, NO_LIMIT);
        feed(&mut inbox, b"half");
        take(&mut inbox).ok();
        inbox.clear();
        assert!(!inbox.is_partial());
        feed(&mut inbox, &stream(mode, &[b"{}"]));
        assert_eq!(take(&mut inbox), Ok(vec![b"{}".to_vec()]));
    }
}

#[test]
fn there_is_always_room_to_read_a_good_deal_into() {
    for mode in MODES {
        let mut inbox = Inbox::new(mode, NO_LIMIT);
        let bytes = stream(mode, &[&[b'x'; 10_007][..]; 200]);
        for piece in bytes.chunks(9_973) {
            assert!(inbox.room().len() >= 32 * KB);
            feed(&mut inbox, piece);
            take(&mut inbox).unwrap();
        }
    }
}

#[test]
fn the_memory_of_a_large_message_is_given_back() {
    for mode in MODES {
        let mut inbox = Inbox::new(mode, NO_LIMIT);
        feed(&mut inbox, &stream(mode, &[&vec![b'x'; 8 * MB]]));
        assert_eq!(take(&mut inbox).unwrap().len(), 1);
        assert!(inbox.room().len() <= 64 * KB);
    }
}
