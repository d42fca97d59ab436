use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::channel::writer::{Due, Report, Writer};

const NOW: Due = Due { now: true, is_first: false };
const LATER: Due = Due { now: false, is_first: false };

fn send(writer: &mut Writer, text: &str, report: Report) -> Due {
    writer.outbox.bytes().extend(text.as_bytes());
    writer.appended(report)
}

fn pair() -> (OwnedFd, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours.into(), theirs)
}

/// More than the socket holds.
fn much() -> String {
    "x".repeat(4 << 20)
}

#[test]
fn the_first_messages_of_a_tick_are_written_at_once_and_the_others_at_its_end() {
    let (ours, _theirs) = pair();
    let mut writer = Writer::default();
    assert_eq!(send(&mut writer, "1", Report::Never), Due { now: true, is_first: true });
    for _ in 0..7 {
        assert_eq!(send(&mut writer, "2", Report::Never), NOW);
    }
    // Retried, because the coarse clock may advance between the write and the next message.
    let is_corked = (0..100).any(|_| {
        writer.write(ours.as_fd()).outcome.unwrap();
        send(&mut writer, "3", Report::Never) == LATER
    });
    assert!(is_corked);
    assert!(writer.flush_is_due());
    assert_eq!(send(&mut writer, "4", Report::Never), Due { now: true, is_first: true });
}

#[test]
fn many_bytes_do_not_wait_for_the_end_of_the_tick() {
    let mut writer = Writer::default();
    for _ in 0..8 {
        send(&mut writer, "1", Report::Never);
    }
    assert_eq!(send(&mut writer, &"x".repeat(64 * 1024), Report::Never), NOW);
}

#[test]
fn the_first_answer_is_written_at_once_and_others_are_coalesced() {
    let mut writer = Writer::default();
    writer.begin_delivery(1);
    assert!(!writer.flush_is_due());
    assert_eq!(send(&mut writer, "1", Report::Never), NOW);
    assert_eq!(send(&mut writer, "2", Report::Never), LATER);
    writer.begin_delivery(2);
    assert_eq!(send(&mut writer, "1", Report::Never), LATER);
    assert_eq!(send(&mut writer, &"x".repeat(8 * 1024), Report::Never), NOW);
    writer.end_delivery();
    assert!(send(&mut writer, "1", Report::Never).is_first);
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
    send(&mut writer, &much(), Report::Always);
    let attempt = writer.write(ours.as_fd());
    assert!(attempt.outcome.is_ok() && attempt.fullness_changed && attempt.has_advanced);
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
fn where_epoll_cannot_watch_the_socket_writing_is_retried() {
    let (ours, _theirs) = pair();
    let mut writer = Writer::default();
    send(&mut writer, &much(), Report::Never);
    assert!(writer.write(ours.as_fd()).fullness_changed);
    writer.watch_failed();
    assert!(!writer.is_full() && writer.outbox.must_retry());
}

#[test]
fn a_failure_is_final_and_reported_once_for_a_message_without_a_callback() {
    let (ours, theirs) = pair();
    drop(theirs);
    let mut writer = Writer::default();
    send(&mut writer, "1", Report::OnFailure);
    assert!(!writer.take_lost());
    assert!(writer.write(ours.as_fd()).outcome.is_err());
    assert_eq!(writer.failure(), Some(libc::EPIPE));
    assert!(writer.take_lost() && !writer.take_lost());
    assert!(!writer.has_work());
}

#[test]
fn the_loss_of_a_message_that_had_to_wait_is_not_reported() {
    let (ours, theirs) = pair();
    let mut writer = Writer::default();
    send(&mut writer, &much(), Report::OnFailure);
    writer.write(ours.as_fd()).outcome.unwrap();
    send(&mut writer, "behind it", Report::OnFailure);
    drop(theirs);
    assert!(writer.write(ours.as_fd()).outcome.is_err());
    assert!(!writer.take_lost());
}

#[test]
fn a_failure_that_could_not_be_reported_is_kept() {
    let mut writer = Writer::default();
    assert_eq!(writer.take_unreported(), None);
    writer.keep_failure(libc::EPIPE);
    assert_eq!(writer.take_unreported(), Some(libc::EPIPE));
    assert_eq!(writer.take_unreported(), None);
}
