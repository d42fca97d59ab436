use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use super::*;

fn set() -> Rc<Set<&'static str>> {
    Rc::new(Set::new().unwrap())
}

fn ready(set: &Set<&'static str>) -> Vec<(Option<&'static str>, bool)> {
    set.poll().unwrap().into_iter().map(|Ready { key, is_over }| (set.get(key), is_over)).collect()
}

#[test]
fn what_is_readable_is_ready_once_until_it_is_registered_again() {
    let (set, (mut one, other)) = (set(), UnixStream::pair().unwrap());
    let registration = set.register(other, "other").unwrap();
    assert_eq!(ready(&set), []);
    one.write_all(b"x").unwrap();
    assert_eq!(ready(&set), [(Some("other"), false)]);
    assert_eq!(ready(&set), []);
    registration.reregister(false).unwrap();
    assert_eq!(ready(&set), [(Some("other"), false)]);
}

#[test]
fn room_to_write_is_told_where_it_is_asked_for() {
    let (set, (_one, other)) = (set(), UnixStream::pair().unwrap());
    let registration = set.register(other, "other").unwrap();
    registration.reregister(true).unwrap();
    assert_eq!(ready(&set), [(Some("other"), false)]);
}

#[test]
fn the_end_is_told() {
    let (set, (one, other)) = (set(), UnixStream::pair().unwrap());
    let _registration = set.register(other, "other").unwrap();
    drop(one);
    assert_eq!(ready(&set), [(Some("other"), true)]);
}

#[test]
fn a_registration_that_is_dropped_closes_its_descriptor() {
    let (set, (mut one, other)) = (set(), UnixStream::pair().unwrap());
    drop(set.register(other, "other").unwrap());
    assert_eq!(one.read(&mut [0]).unwrap(), 0);
    assert!(set.drain().is_empty());
}

#[test]
fn an_event_for_an_entry_that_is_gone_does_not_reach_the_next_one() {
    let (set, (mut one, other)) = (set(), UnixStream::pair().unwrap());
    // As in a child before its exec, there is another descriptor of the same socket.
    let _copy = other.try_clone().unwrap();
    let old = set.register(other, "old").unwrap();
    one.write_all(b"x").unwrap();
    drop(old);
    let new = set.insert("new");
    assert_eq!(ready(&set), [(None, false)]);
    assert_eq!(set.get(new.key()), Some("new"));
}

#[test]
fn a_registration_of_an_entry_that_is_gone_does_not_remove_the_next_one() {
    let set = set();
    let old = set.insert("old");
    set.drain();
    let new = set.insert("new");
    drop(old);
    assert_eq!(set.get(new.key()), Some("new"));
}

#[test]
fn a_descriptor_that_is_deregistered_is_given_back_open_and_not_reported() {
    let (set, (mut one, other)) = (set(), UnixStream::pair().unwrap());
    let mut other = set.register(other, "other").unwrap().deregister();
    one.write_all(b"x").unwrap();
    assert_eq!(ready(&set), []);
    assert_eq!(other.read(&mut [0]).unwrap(), 1);
    assert!(set.drain().is_empty());
}

#[test]
fn a_descriptor_that_cannot_be_registered_is_given_back() {
    let set = set();
    // epoll does not watch files.
    let (_, file) = set.register(File::open("/proc/self/exe").unwrap(), "file").err().unwrap();
    assert!(file.metadata().is_ok());
    assert!(set.drain().is_empty());
}

#[test]
fn threads_report_what_is_ready() {
    let set = set();
    let (_one, first) = set.register_thread("first").unwrap();
    let (_other, second) = set.register_thread("second").unwrap();
    thread::spawn(move || {
        second();
        first();
    })
    .join()
    .unwrap();
    assert_eq!(ready(&set), [(Some("second"), false), (Some("first"), false)]);
}

#[test]
fn what_is_due_comes_in_the_order_of_its_deadlines() {
    let set = set();
    let (late, soon) = (set.insert("late"), set.insert("soon"));
    assert_eq!(set.until_deadline(), None);
    set.set_deadline(late.key(), Duration::from_secs(60));
    set.set_deadline(soon.key(), Duration::from_secs(30));
    assert!(set.until_deadline().unwrap() <= Duration::from_secs(30));
    let now = Instant::now();
    assert_eq!(set.take_due(now), None);
    assert_eq!(set.take_due(now + Duration::from_secs(100)), Some(soon.key()));
    assert_eq!(set.take_due(now + Duration::from_secs(100)), Some(late.key()));
    assert_eq!(set.take_due(now + Duration::from_secs(100)), None);
}
