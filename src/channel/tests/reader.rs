use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::channel::Mode;
use crate::channel::ancillary::{self, Room};
use crate::channel::reader::{Descriptors, ReadOutcome, ReadState, Reader};
use crate::channel::spin::Spin;

fn file() -> OwnedFd {
    File::open("/dev/null").unwrap().into()
}

fn pair() -> (UnixStream, UnixStream, Reader) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours, theirs, Reader::new(Mode::Json, 1000, Spin::new(Duration::ZERO)))
}

fn lines(reader: &Reader) -> Vec<String> {
    let mut places = vec![];
    reader.inbox.borrow_mut().take(&mut places).unwrap();
    let inbox = reader.inbox.borrow();
    places.iter().map(|place| String::from_utf8_lossy(inbox.bytes(place)).into_owned()).collect()
}

#[test]
fn received_bytes_are_read_and_then_the_end() {
    let (ours, mut theirs, reader) = pair();
    let mut room = Room::default();
    assert_eq!(reader.read(ours.as_fd(), &mut room), ReadOutcome::Empty);
    theirs.write_all(b"1\n2\nbegun").unwrap();
    assert_eq!(reader.read(ours.as_fd(), &mut room), ReadOutcome::Data { may_be_more: false });
    assert_eq!(lines(&reader), ["1", "2"]);
    drop(theirs);
    assert_eq!(reader.read(ours.as_fd(), &mut room), ReadOutcome::End);
    assert!(reader.inbox.borrow().is_partial());
}

#[test]
fn a_descriptor_belongs_to_the_message_that_it_came_with() {
    let (ours, theirs, reader) = pair();
    let fd = file();
    ancillary::send(theirs.as_fd(), b"1\n", &[fd.as_raw_fd()]).unwrap();
    reader.read(ours.as_fd(), &mut Room::default());
    let mut descriptors = reader.descriptors.borrow_mut();
    assert!(descriptors.take().is_some());
    assert!(descriptors.take().is_none());
}

#[test]
fn a_descriptor_after_the_first_part_of_a_message_belongs_to_a_later_message() {
    let (ours, mut theirs, reader) = pair();
    let mut room = Room::default();
    theirs.write_all(b"begun ").unwrap();
    reader.read(ours.as_fd(), &mut room);
    let fd = file();
    ancillary::send(theirs.as_fd(), b"here\nnext\n", &[fd.as_raw_fd()]).unwrap();
    reader.read(ours.as_fd(), &mut room);
    let mut descriptors = reader.descriptors.borrow_mut();
    assert!(descriptors.take().is_none());
    descriptors.message_is_over();
    assert!(descriptors.take().is_some());
}

#[test]
fn unannounced_descriptors_are_closed() {
    let mut descriptors = Descriptors::default();
    descriptors.received(vec![file(), file(), file()], false);
    descriptors.keep(1);
    assert!(descriptors.take().is_some());
    assert!(descriptors.take().is_none());
}

#[test]
fn an_end_listens_until_it_has_stopped() {
    let (_, _, reader) = pair();
    assert!(!reader.has_stopped());
    reader.state.set(ReadState::RetryLater);
    assert!(!reader.has_stopped());
    reader.state.set(ReadState::Stopped);
    assert!(reader.has_stopped());
}
