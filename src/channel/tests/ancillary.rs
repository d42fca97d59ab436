use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::channel::ancillary::{MAX_DESCRIPTORS, Room, receive, send, wait_for_room};
use crate::sys;

fn read(socket: BorrowedFd, fds: &mut Vec<OwnedFd>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 100];
    let received = receive(socket, &mut bytes, &mut Room::default(), fds)?;
    bytes.truncate(received.length);
    Ok(bytes)
}

#[test]
fn a_descriptor_comes_with_its_bytes_and_is_the_same_file() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let (readable, writable) = sys::stream_pair().unwrap();
    assert_eq!(send(ours.as_fd(), b"take it", &[writable.as_raw_fd()]).unwrap(), 7);
    drop(writable);
    let mut fds = vec![];
    assert_eq!(read(theirs.as_fd(), &mut fds).unwrap(), b"take it");
    assert_eq!(fds.len(), 1);
    File::from(fds.remove(0)).write_all(b"through").unwrap();
    let mut text = String::new();
    File::from(readable).read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
}

#[test]
fn a_descriptor_that_has_come_is_closed_at_exec() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    send(ours.as_fd(), b"x", &[ours.as_raw_fd()]).unwrap();
    let mut fds = vec![];
    read(theirs.as_fd(), &mut fds).unwrap();
    assert!(!sys::is_inheritable(fds[0].as_raw_fd()));
}

#[test]
fn as_many_descriptors_as_the_kernel_takes_come_in_order() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let first = File::open("Cargo.toml").unwrap();
    let last = File::open("build.rs").unwrap();
    let mut sent = vec![first.as_raw_fd(); MAX_DESCRIPTORS];
    sent[MAX_DESCRIPTORS - 1] = last.as_raw_fd();
    send(ours.as_fd(), b"x", &sent).unwrap();
    let mut fds = vec![];
    assert_eq!(read(theirs.as_fd(), &mut fds).unwrap(), b"x");
    assert_eq!(fds.len(), MAX_DESCRIPTORS);
    let mut text = String::new();
    let mut file = File::from(fds.pop().unwrap());
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, fs::read_to_string("build.rs").unwrap());
}

#[test]
fn one_descriptor_more_is_refused() {
    let (ours, _theirs) = sys::stream_pair().unwrap();
    let error = send(ours.as_fd(), b"x", &vec![ours.as_raw_fd(); MAX_DESCRIPTORS + 1]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
}

#[test]
fn descriptors_of_several_writes_come_in_several_reads() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    for byte in [b"1", b"2"] {
        send(ours.as_fd(), byte, &[ours.as_raw_fd(); MAX_DESCRIPTORS]).unwrap();
    }
    send(ours.as_fd(), b"3", &[]).unwrap();
    let (mut all, mut count) = (vec![], 0);
    while all.len() < 3 {
        let mut fds = vec![];
        all.extend(read(theirs.as_fd(), &mut fds).unwrap());
        assert!(fds.len() <= MAX_DESCRIPTORS);
        count += fds.len();
    }
    assert_eq!((&all[..], count), (&b"123"[..], 2 * MAX_DESCRIPTORS));
}

/// The other end sees the end of a pipe's reading side only once every copy of it is closed.
#[test]
fn descriptors_that_are_dropped_unread_are_closed() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let (readable, writable) = sys::stream_pair().unwrap();
    send(ours.as_fd(), b"x", &[writable.as_raw_fd(); 10]).unwrap();
    drop(writable);
    let mut fds = vec![];
    read(theirs.as_fd(), &mut fds).unwrap();
    assert_eq!(fds.len(), 10);
    drop(fds);
    assert_eq!(File::from(readable).read(&mut [0]).unwrap(), 0);
}

#[test]
fn nothing_there_is_would_block_and_the_end_is_zero() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let mut fds = vec![];
    assert_eq!(read(theirs.as_fd(), &mut fds).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(ours);
    assert_eq!(read(theirs.as_fd(), &mut fds).unwrap(), b"");
}

#[test]
fn an_end_that_left_bytes_unread_is_a_reset() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    send(theirs.as_fd(), b"x", &[]).unwrap();
    drop(ours);
    let error = read(theirs.as_fd(), &mut vec![]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[test]
fn writing_to_nobody_is_a_broken_pipe_and_no_signal() {
    for fds in [0, 1] {
        let (ours, theirs) = sys::stream_pair().unwrap();
        drop(theirs);
        let error = send(ours.as_fd(), b"x", &vec![ours.as_raw_fd(); fds]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}

#[test]
fn waiting_for_room_ends_with_room_or_with_patience() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    assert!(wait_for_room(ours.as_fd(), Duration::from_secs(1000), true));
    while send(ours.as_fd(), &[0; 4096], &[]).is_ok() {}
    let begun = Instant::now();
    assert!(wait_for_room(ours.as_fd(), Duration::from_millis(20), true));
    assert!(begun.elapsed() >= Duration::from_millis(20));
    drop(theirs);
    assert!(wait_for_room(ours.as_fd(), Duration::from_secs(1000), true));
}

#[test]
fn waiting_for_room_drops_what_has_come_and_does_not_wait_for_more() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let mut sent = 0;
    while let Ok(length) = send(theirs.as_fd(), &[0; 4096], &[]) {
        sent += length;
    }
    assert!(sent > 0);
    assert!(wait_for_room(ours.as_fd(), Duration::from_secs(1000), true));
    assert!(send(theirs.as_fd(), &[0; 4096], &[]).is_ok());
}

#[test]
fn waiting_for_room_does_not_wait_for_the_end_twice() {
    let (ours, theirs) = sys::stream_pair().unwrap();
    let mut sent = vec![];
    while let Ok(length) = send(ours.as_fd(), &[0; 4096], &[]) {
        sent.resize(sent.len() + length, 1);
    }
    let (mut theirs, forever) = (UnixStream::from(theirs), Duration::from_secs(1000));
    theirs.shutdown(Shutdown::Write).unwrap();
    assert!(!wait_for_room(ours.as_fd(), forever, true));
    let reader = thread::spawn(move || theirs.read_exact(&mut sent).map(|()| theirs));
    assert!(!wait_for_room(ours.as_fd(), forever, false));
    assert!(send(ours.as_fd(), b"x", &[]).is_ok());
    reader.join().unwrap().unwrap();
}

/// In a process of its own, which has few descriptors left.
#[test]
fn descriptors_that_fit_into_a_full_table_in_part_are_closed_too() {
    const NAME: &str =
        "channel::tests::ancillary::descriptors_that_fit_into_a_full_table_in_part_are_closed_too";
    if std::env::var_os("FULL_TABLE").is_none() {
        let script = format!("ulimit -n 64; exec \"$0\" --exact {NAME} --nocapture");
        let test = std::env::current_exe().unwrap();
        let output =
            Command::new("sh").arg("-c").arg(script).arg(test).env("FULL_TABLE", "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let open = || (0..64).filter(|fd| sys::check_open(*fd).is_ok()).count();
    let (ours, theirs) = sys::stream_pair().unwrap();
    let before = open();
    send(ours.as_fd(), b"x", &[ours.as_raw_fd(); 100]).unwrap();
    assert_eq!(read(theirs.as_fd(), &mut vec![]).unwrap(), b"x");
    assert_eq!(open(), before);
}
