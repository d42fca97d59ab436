use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;

use super::*;

fn set() -> Set<&'static str> {
    Set::new().unwrap()
}

fn ready(set: &Set<&'static str>) -> Vec<(Option<&'static str>, bool)> {
    set.poll().unwrap().into_iter().map(|Ready { key, is_over }| (set.get(key), is_over)).collect()
}

#[test]
fn what_is_readable_is_ready_once_until_it_is_registered_again() {
    let (set, (mut one, other)) = (set(), UnixStream::pair().unwrap());
    let key = set.register(other.as_raw_fd(), "other").unwrap();
    assert_eq!(ready(&set), []);
    one.write_all(b"x").unwrap();
    assert_eq!(ready(&set), [(Some("other"), false)]);
    assert_eq!(ready(&set), []);
    set.reregister(key, other.as_raw_fd(), false).unwrap();
    assert_eq!(ready(&set), [(Some("other"), false)]);
}

#[test]
fn room_to_write_is_told_where_it_is_asked_for() {
    let (set, (_one, other)) = (set(), UnixStream::pair().unwrap());
    let key = set.register(other.as_raw_fd(), "other").unwrap();
    set.reregister(key, other.as_raw_fd(), true).unwrap();
    assert_eq!(ready(&set), [(Some("other"), false)]);
}

#[test]
fn the_end_is_told() {
    let (set, (one, other)) = (set(), UnixStream::pair().unwrap());
    set.register(other.as_raw_fd(), "other").unwrap();
    drop(one);
    assert_eq!(ready(&set), [(Some("other"), true)]);
}

#[test]
fn an_event_for_an_entry_that_is_gone_does_not_reach_the_next_one() {
    let (set, (mut one, other)) = (set(), UnixStream::pair().unwrap());
    let old = set.register(other.as_raw_fd(), "old").unwrap();
    one.write_all(b"x").unwrap();
    assert_eq!(set.remove(old), Some("old"));
    let new = set.insert("new");
    assert_eq!(ready(&set), [(None, false)]);
    assert_eq!((set.get(old), set.get(new)), (None, Some("new")));
    assert_eq!(set.remove(old), None);
}

#[test]
fn a_descriptor_that_is_taken_out_is_not_reported() {
    let (set, (mut one, other)) = (set(), UnixStream::pair().unwrap());
    set.register(other.as_raw_fd(), "other").unwrap();
    set.deregister(other.as_raw_fd());
    one.write_all(b"x").unwrap();
    assert_eq!(ready(&set), []);
    assert_eq!(set.drain(), ["other"]);
}

#[test]
fn threads_report_what_is_ready() {
    let set = set();
    let (_, first) = set.register_thread("first").unwrap();
    let (_, second) = set.register_thread("second").unwrap();
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
    set.set_deadline(late, Duration::from_secs(60));
    set.set_deadline(soon, Duration::from_secs(30));
    assert!(set.until_deadline().unwrap() <= Duration::from_secs(30));
    let now = Instant::now();
    assert_eq!(set.take_due(now), None);
    assert_eq!(set.take_due(now + Duration::from_secs(100)), Some(soon));
    assert_eq!(set.take_due(now + Duration::from_secs(100)), Some(late));
    assert_eq!(set.take_due(now + Duration::from_secs(100)), None);
}
