use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SndBuf;

use crate::channel::ancillary::{Room, receive};
use crate::channel::outbox::Outbox;
use crate::sys;

/// A pair whose first end takes only a few kilobytes at once.
fn narrow_pair() -> (OwnedFd, OwnedFd) {
    let (ours, theirs) = sys::stream_pair().unwrap();
    setsockopt(&ours, SndBuf, &4096).unwrap();
    (ours, theirs)
}

/// Reads what is there, at most `most` bytes.
fn read(socket: BorrowedFd, most: usize, fds: &mut Vec<OwnedFd>) -> Vec<u8> {
    let mut bytes = vec![0; most];
    let received = receive(socket, &mut bytes, &mut Room::default(), fds).unwrap();
    bytes.truncate(received.length);
    bytes
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 % 251) as u8).collect()
}

#[test]
fn what_fits_is_written_at_once() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let mut outbox = Outbox::default();
    assert!(outbox.is_empty());
    outbox.bytes().extend(b"one");
    outbox.bytes().extend(b"two");
    assert_eq!((outbox.len(), outbox.end()), (6, 6));
    assert!(outbox.write(ours.as_fd()).unwrap());
    assert!(outbox.is_empty());
    assert_eq!(outbox.end(), 6);
    assert_eq!(read(theirs.as_fd(), 100, &mut vec![]), b"onetwo");
}

#[test]
fn writing_nothing_succeeds() {
    let (ours, _theirs) = sys::stream_pair().unwrap();
    assert!(Outbox::default().write(ours.as_fd()).unwrap());
}

#[test]
fn what_does_not_fit_stays_and_follows_in_order() {
    let (ours, theirs) = narrow_pair();
    let expected = pattern(3_000_000);
    let mut outbox = Outbox::default();
    let mut read_back = vec![];
    let mut appended = 0;
    let mut waits = 0;
    for chunk in [1, 1000, 4096, 300_000].iter().cycle() {
        let chunk = &expected[appended..(appended + chunk).min(expected.len())];
        outbox.bytes().extend(chunk);
        appended += chunk.len();
        assert_eq!(outbox.end(), appended as u64);
        if !outbox.write(ours.as_fd()).unwrap() {
            waits += 1;
            read_back.extend(read(theirs.as_fd(), 3000, &mut vec![]));
        }
        if appended == expected.len() {
            break;
        }
    }
    assert!(waits > 5);
    while read_back.len() < expected.len() {
        outbox.write(ours.as_fd()).unwrap();
        read_back.extend(read(theirs.as_fd(), 100_000, &mut vec![]));
    }
    assert!(read_back == expected);
    assert!(outbox.is_empty());
    assert_eq!(outbox.end(), expected.len() as u64);
}

#[test]
fn awaited_messages_are_done_when_their_last_byte_is_written() {
    let (ours, theirs) = narrow_pair();
    let mut outbox = Outbox::default();
    outbox.bytes().extend(b"short");
    outbox.await_last();
    assert_eq!(outbox.take_done(), 0);
    outbox.bytes().extend(b"not awaited");
    outbox.bytes().extend(pattern(200_000));
    outbox.await_last();
    outbox.bytes().extend(b"z");
    outbox.await_last();
    outbox.await_last();
    assert!(!outbox.write(ours.as_fd()).unwrap());
    assert_eq!(outbox.take_done(), 1);
    assert_eq!(outbox.take_done(), 0);
    while !outbox.write(ours.as_fd()).unwrap() {
        // None of them before its time.
        assert_eq!(outbox.take_done(), 0);
        read(theirs.as_fd(), 100_000, &mut vec![]);
    }
    assert_eq!(outbox.take_done(), 3);
    assert_eq!(outbox.take_done(), 0);
}

#[test]
fn a_descriptor_travels_with_its_byte_and_none_before_it() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let (readable, writable) = sys::stream_pair().unwrap();
    let mut outbox = Outbox::default();
    outbox.bytes().extend(b"before");
    outbox.attach(outbox.end(), writable);
    outbox.bytes().extend(b"with");
    assert!(outbox.write(ours.as_fd()).unwrap());
    let mut fds = vec![];
    // A read of a stream may take what came before together with a descriptor, but never what comes after.
    assert_eq!(read(theirs.as_fd(), 6, &mut fds), b"before");
    assert!(fds.is_empty());
    assert_eq!(read(theirs.as_fd(), 100, &mut fds), b"with");
    assert_eq!(fds.len(), 1);
    File::from(fds.remove(0)).write_all(b"x").unwrap();
    let mut text = String::new();
    File::from(readable).read_to_string(&mut text).unwrap();
    assert_eq!(text, "x");
}

#[test]
fn descriptors_may_be_attached_to_bytes_that_are_there_already() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let mut outbox = Outbox::default();
    let begin = outbox.end();
    outbox.bytes().extend(b"ab");
    outbox.attach(begin, File::open("Cargo.toml").unwrap().into());
    outbox.attach(begin, File::open("Cargo.toml").unwrap().into());
    outbox.attach(begin + 1, File::open("Cargo.toml").unwrap().into());
    assert!(outbox.write(ours.as_fd()).unwrap());
    let mut fds = vec![];
    assert_eq!(read(theirs.as_fd(), 1, &mut fds), b"a");
    assert_eq!(fds.len(), 2);
    assert_eq!(read(theirs.as_fd(), 1, &mut fds), b"b");
    assert_eq!(fds.len(), 3);
}

#[test]
fn every_descriptor_of_a_long_queue_comes_once_with_its_own_message() {
    let (ours, theirs) = narrow_pair();
    let mut outbox = Outbox::default();
    let mut expected = vec![];
    let files: Vec<_> = (0..20_u32)
        .map(|i| {
            expected.extend(vec![b'.'; 1 + i as usize * 517]);
            outbox.bytes().extend(vec![b'.'; 1 + i as usize * 517]);
            let (file, other) = sys::stream_pair().unwrap();
            outbox.attach(outbox.end(), other);
            expected.push(b'0' + i as u8);
            outbox.bytes().push(b'0' + i as u8);
            file
        })
        .collect();
    let mut all = vec![];
    loop {
        let is_done = outbox.write(ours.as_fd()).unwrap();
        loop {
            let (mut bytes, mut fds) = (vec![0; 700], vec![]);
            match receive(theirs.as_fd(), &mut bytes, &mut Room::default(), &mut fds) {
                Ok(received) => bytes.truncate(received.length),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    break;
                }
            }
            for fd in fds {
                // It answers to the letter that it came with.
                let letter = bytes.iter().copied().find(|byte| *byte != b'.').unwrap();
                File::from(fd).write_all(&[letter]).unwrap();
            }
            all.extend(bytes);
        }
        if is_done {
            break;
        }
    }
    assert_eq!(all, expected);
    for (i, file) in files.into_iter().enumerate() {
        let mut text = vec![];
        File::from(file).read_to_end(&mut text).unwrap();
        assert_eq!(text, [b'0' + i as u8]);
    }
}

#[test]
fn where_nobody_reads_it_is_an_error_and_what_is_unwritten_stays_until_it_is_cleared() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    drop(theirs);
    let mut outbox = Outbox::default();
    outbox.bytes().extend(b"lost");
    outbox.await_last();
    let (readable, writable) = sys::stream_pair().unwrap();
    outbox.attach(outbox.end(), writable);
    assert_eq!(outbox.write(ours.as_fd()).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!((outbox.len(), outbox.take_done()), (4, 0));
    outbox.clear();
    assert!(outbox.is_empty());
    assert_eq!((outbox.end(), outbox.take_done()), (4, 0));
    assert!(outbox.write(ours.as_fd()).unwrap());
    // The descriptor is closed.
    assert_eq!(File::from(readable).read(&mut [0]).unwrap(), 0);
}

#[test]
fn handles_are_acknowledged_after_writing_has_failed() {
    let (ours, _theirs) = sys::stream_pair().unwrap();
    let mut outbox = Outbox::default();
    outbox.handles.pipeline();
    for _ in 0..2 {
        let start = outbox.end();
        outbox.bytes().extend(b"message");
        outbox.attach_handle(start, sys::stream_pair().unwrap().0);
        outbox.appended();
    }
    assert!(outbox.write(ours.as_fd()).unwrap());
    outbox.fail();
    assert!(outbox.taken(1).is_ok());
    assert!(outbox.has_handles());
    assert!(outbox.taken(1).is_ok());
    assert!(!outbox.has_handles());
    assert!(outbox.taken(1).is_err());
}

#[test]
fn the_memory_of_a_large_backlog_is_given_back() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let mut outbox = Outbox::default();
    outbox.bytes().extend(vec![0; 8 << 20]);
    while !outbox.write(ours.as_fd()).unwrap() {
        read(theirs.as_fd(), 1 << 20, &mut vec![]);
    }
    assert!(outbox.bytes().capacity() <= 1 << 20);
}
