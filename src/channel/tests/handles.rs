//! The handles in flight and their acknowledgements, over a pair of sockets.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use crate::channel::ancillary;
use crate::channel::handles::{Kind, NeverSent, Socket};
use crate::channel::outbox::{Outbox, Outcome};
use crate::sys;

fn file() -> OwnedFd {
    File::open("Cargo.toml").unwrap().into()
}

fn push(outbox: &mut Outbox, text: &str) {
    outbox.bytes().extend(text.as_bytes());
    outbox.appended();
}

fn push_handle(outbox: &mut Outbox, text: &str) {
    let start = outbox.end();
    outbox.bytes().extend(text.as_bytes());
    outbox.attach_handle(start, file());
    outbox.appended();
}

/// An outbox, and both ends of the socket that it writes to.
struct Pair {
    outbox: Outbox,
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Pair {
    fn new() -> Self {
        let (ours, theirs) = sys::stream_pair().unwrap();
        Self { outbox: Outbox::default(), ours, theirs }
    }

    fn pipelined() -> Self {
        let mut pair = Self::new();
        pair.outbox.handles.pipeline();
        pair
    }

    /// Writes what may be written now. Returns what arrives, and the number of descriptors.
    fn arriving(&mut self) -> (String, usize) {
        assert!(self.outbox.write(self.ours.as_fd()).unwrap());
        let (mut text, mut fds) = (vec![], vec![]);
        let (mut bytes, mut room) = ([0; 1000], ancillary::Room::default());
        while let Ok(received) = ancillary::receive(self.theirs.as_fd(), &mut bytes, &mut room, &mut fds) {
            text.extend_from_slice(&bytes[..received.length]);
        }
        (String::from_utf8(text).unwrap(), fds.len())
    }
}

#[test]
fn one_handle_is_in_flight_to_the_builtin_and_later_messages_wait() {
    let mut pair = Pair::new();
    push(&mut pair.outbox, "a");
    push_handle(&mut pair.outbox, "H1");
    push(&mut pair.outbox, "b");
    push_handle(&mut pair.outbox, "H2");
    push(&mut pair.outbox, "c");
    assert_eq!(pair.arriving(), ("aH1".to_owned(), 1));
    pair.outbox.taken(1).unwrap();
    assert_eq!(pair.arriving(), ("bH2".to_owned(), 1));
    pair.outbox.taken(1).unwrap();
    assert_eq!(pair.arriving(), ("c".to_owned(), 0));
    assert!(pair.outbox.handles.is_empty());
}

#[test]
fn between_native_ends_many_are_in_flight_up_to_a_bound() {
    let mut pair = Pair::pipelined();
    for _ in 0..200 {
        push_handle(&mut pair.outbox, "H");
        push(&mut pair.outbox, ".");
    }
    assert!(!pair.outbox.handles.has_room());
    let (text, first) = pair.arriving();
    assert!(first > 1 && first < 200);
    assert_eq!(text, "H.".repeat(first));
    pair.outbox.taken(10).unwrap();
    assert_eq!(pair.arriving(), ("H.".repeat(10), 10));
    pair.outbox.taken(first as u32).unwrap();
    assert!(pair.outbox.handles.has_room());
}

#[test]
fn an_acknowledgement_does_not_wait_for_one() {
    for mut pair in [Pair::new(), Pair::pipelined()] {
        for _ in 0..200 {
            push_handle(&mut pair.outbox, "H");
            pair.outbox.await_last();
        }
        let (_, first) = pair.arriving();
        assert_eq!(pair.outbox.take_done() as usize, first);
        pair.outbox.push_urgent(b"ACK");
        assert_eq!(pair.arriving(), ("ACK".to_owned(), 0));
        assert_eq!(pair.outbox.take_done(), 0);
        pair.outbox.taken(1).unwrap();
        assert_eq!(pair.arriving(), ("H".to_owned(), 1));
        assert_eq!(pair.outbox.take_done(), 1);
    }
}

#[test]
fn a_handle_that_the_builtin_did_not_receive_is_sent_again_three_times() {
    let mut pair = Pair::new();
    push_handle(&mut pair.outbox, "H");
    push(&mut pair.outbox, "after");
    assert_eq!(pair.arriving(), ("H".to_owned(), 1));
    for _ in 0..3 {
        assert_eq!(pair.outbox.missed(), Ok(Outcome::Again));
        pair.outbox.push_urgent(b"ACK");
        assert_eq!(pair.arriving(), ("HACK".to_owned(), 1));
    }
    assert_eq!(pair.outbox.missed(), Ok(Outcome::Lost(0)));
    assert_eq!(pair.arriving(), ("after".to_owned(), 0));
    assert!(pair.outbox.handles.is_empty());
}

#[test]
fn a_handle_that_a_native_end_did_not_receive_is_sent_again_under_its_number() {
    let mut pair = Pair::pipelined();
    push_handle(&mut pair.outbox, "H0");
    push_handle(&mut pair.outbox, "H1");
    push_handle(&mut pair.outbox, "H2");
    assert_eq!(pair.arriving(), ("H0H1H2".to_owned(), 3));
    pair.outbox.taken(1).unwrap();
    let announce = |number: u32| format!("again {number} ").into_bytes();
    assert_eq!(pair.outbox.missed(), Ok(Outcome::Later));
    assert_eq!(pair.outbox.missed(), Ok(Outcome::Later));
    push(&mut pair.outbox, "after");
    assert_eq!(pair.arriving(), ("after".to_owned(), 0));
    assert!(pair.outbox.handles.is_empty() && pair.outbox.has_handles());
    pair.outbox.repeat_missed(announce);
    assert_eq!(pair.arriving(), ("again 1 H1again 2 H2".to_owned(), 2));
    pair.outbox.taken(2).unwrap();
    assert!(!pair.outbox.has_handles());
    assert!(pair.outbox.handles.is_empty());
}

#[test]
fn what_was_never_sent_cannot_be_acknowledged() {
    let mut pair = Pair::new();
    assert_eq!(pair.outbox.taken(1), Err(NeverSent));
    assert_eq!(pair.outbox.missed(), Err(NeverSent));
    push_handle(&mut pair.outbox, "H");
    // Not written yet.
    assert_eq!(pair.outbox.taken(1), Err(NeverSent));
    pair.arriving();
    assert_eq!(pair.outbox.taken(2), Err(NeverSent));
}

#[test]
fn what_has_been_sent_may_be_acknowledged_after_a_failed_write() {
    let mut pair = Pair::new();
    push_handle(&mut pair.outbox, "H1");
    pair.arriving();
    push(&mut pair.outbox, "after");
    push_handle(&mut pair.outbox, "H2");
    pair.outbox.fail();
    assert_eq!(pair.outbox.taken(1), Ok(()));
    assert_eq!(pair.outbox.taken(1), Err(NeverSent));
    assert!(pair.outbox.is_empty() && !pair.outbox.has_handles());
}

#[test]
fn a_handle_that_is_missed_after_a_failed_write_is_lost() {
    let mut pair = Pair::new();
    push_handle(&mut pair.outbox, "H");
    pair.arriving();
    pair.outbox.fail();
    assert_eq!(pair.outbox.missed(), Ok(Outcome::Lost(0)));
    assert!(pair.outbox.is_empty());
}

#[test]
fn at_the_end_everything_is_written() {
    let mut pair = Pair::new();
    push_handle(&mut pair.outbox, "H1");
    push_handle(&mut pair.outbox, "H2");
    push(&mut pair.outbox, "last");
    pair.outbox.handles.stop_waiting();
    assert_eq!(pair.arriving(), ("H1H2last".to_owned(), 2));
}

#[test]
fn types_have_names_and_descriptors_that_fit_them() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.name().as_bytes()), Some(kind));
    }
    assert_eq!(Kind::from_name(b"net.Other"), None);
    assert_eq!(Kind::of_class(b"UDP"), Some(Kind::DgramNative));
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = std::net::UdpSocket::bind("[::1]:0").or_else(|_| std::net::UdpSocket::bind("127.0.0.1:0"));
    let (pipe, _other) = sys::stream_pair().unwrap();
    assert_eq!(Socket::of(tcp.as_fd()), Some(Socket::Tcp));
    assert_eq!(Socket::of(udp.unwrap().as_fd()), Some(Socket::Udp));
    assert_eq!(Socket::of(pipe.as_fd()), Some(Socket::Pipe));
    assert_eq!(Socket::of(file().as_fd()), None);
    assert!(Kind::NetServer.is_made_of(Socket::Pipe) && !Kind::NetSocket.is_made_of(Socket::Udp));
    assert!(Kind::DgramSocket.is_made_of(Socket::Udp) && !Kind::DgramNative.is_made_of(Socket::Tcp));
}
