use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::channel::writer::{Due, Heard, Writer};

const NOW: Due = Due { now: true, is_first: false };
const LATER: Due = Due { now: false, is_first: false };

fn send(writer: &mut Writer, text: &str, heard: Heard) -> Due {
    writer.outbox.bytes().extend(text.as_bytes());
    writer.appended(heard)
}

fn pair() -> (OwnedFd, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours.into(), theirs)
}

/// As much as makes the socket full.
fn much() -> String {
    "x".repeat(4 << 20)
}

#[test]
fn the_first_messages_of_a_tick_are_written_at_once_and_the_others_at_its_end() {
    let (ours, _theirs) = pair();
    let mut writer = Writer::default();
    assert_eq!(send(&mut writer, "1", Heard::Never), Due { now: true, is_first: true });
    for _ in 0..7 {
        assert_eq!(send(&mut writer, "2", Heard::Never), NOW);
    }
    // Until the coarse clock goes on, which writing looks at.
    let is_corked = (0..100).any(|_| {
        writer.write(ours.as_fd()).outcome.unwrap();
        send(&mut writer, "3", Heard::Never) == LATER
    });
    assert!(is_corked);
    assert!(writer.flush_is_due());
    assert_eq!(send(&mut writer, "4", Heard::Never), Due { now: true, is_first: true });
}

#[test]
fn much_does_not_wait_for_the_end_of_the_tick() {
    let mut writer = Writer::default();
    for _ in 0..8 {
        send(&mut writer, "1", Heard::Never);
    }
    assert_eq!(send(&mut writer, &"x".repeat(64 * 1024), Heard::Never), NOW);
}

#[test]
fn the_first_answer_is_written_at_once_and_others_wait_for_one_another() {
    let mut writer = Writer::default();
    writer.begin_delivery(1);
    assert!(!writer.flush_is_due());
    assert_eq!(send(&mut writer, "1", Heard::Never), NOW);
    assert_eq!(send(&mut writer, "2", Heard::Never), LATER);
    writer.begin_delivery(2);
    assert_eq!(send(&mut writer, "1", Heard::Never), LATER);
    assert_eq!(send(&mut writer, &"x".repeat(8 * 1024), Heard::Never), NOW);
    writer.end_delivery();
    assert!(send(&mut writer, "1", Heard::Never).is_first);
}

#[test]
fn answers_that_have_waited_long_enough_are_written_before_the_end_of_the_delivery() {
    let mut writer = Writer::default();
    writer.begin_delivery(2);
    assert!(!writer.flush_is_due());
    std::thread::sleep(Duration::from_millis(1));
    assert!(writer.flush_is_due());
    assert!(!writer.flush_is_due());
}

#[test]
fn a_full_socket_says_so_and_when_it_has_room_again() {
    let (ours, mut theirs) = pair();
    let mut writer = Writer::default();
    send(&mut writer, &much(), Heard::Awaited);
    let attempt = writer.write(ours.as_fd());
    assert!(attempt.outcome.is_ok() && attempt.has_turned && attempt.has_advanced);
    assert!(writer.is_full() && !writer.has_work());
    assert!(writer.has_room_again() && !writer.has_room_again());
    assert!(writer.has_work());
    let reader = std::thread::spawn(move || {
        let mut rest = vec![];
        theirs.read_to_end(&mut rest).unwrap();
        rest.len()
    });
    writer.write_out(ours.as_fd(), Instant::now() + Duration::from_secs(60));
    drop(ours);
    assert_eq!(reader.join().unwrap(), much().len());
    assert_eq!(writer.outbox.take_done(), 1);
}

#[test]
fn where_nothing_tells_of_room_it_is_tried_again() {
    let (ours, _theirs) = pair();
    let mut writer = Writer::default();
    send(&mut writer, &much(), Heard::Never);
    assert!(writer.write(ours.as_fd()).has_turned);
    writer.is_not_watched();
    assert!(!writer.is_full() && writer.outbox.is_crowded());
}

#[test]
fn a_failure_is_for_good_and_told_once_where_nobody_awaits_the_message() {
    let (ours, theirs) = pair();
    drop(theirs);
    let mut writer = Writer::default();
    send(&mut writer, "1", Heard::OnFailure);
    assert!(!writer.take_lost());
    assert!(writer.write(ours.as_fd()).outcome.is_err());
    assert_eq!(writer.failure(), Some(libc::EPIPE));
    assert!(writer.take_lost() && !writer.take_lost());
    assert!(!writer.has_work());
}

#[test]
fn a_message_that_had_to_wait_is_lost_in_silence() {
    let (ours, theirs) = pair();
    let mut writer = Writer::default();
    send(&mut writer, &much(), Heard::OnFailure);
    writer.write(ours.as_fd()).outcome.unwrap();
    send(&mut writer, "behind it", Heard::OnFailure);
    drop(theirs);
    assert!(writer.write(ours.as_fd()).outcome.is_err());
    assert!(!writer.take_lost());
}

#[test]
fn a_failure_that_nobody_could_be_told_of_is_remembered() {
    let mut writer = Writer::default();
    assert_eq!(writer.take_untold(), None);
    writer.remember(libc::EPIPE);
    assert_eq!(writer.take_untold(), Some(libc::EPIPE));
    assert_eq!(writer.take_untold(), None);
}
