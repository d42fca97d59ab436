use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

use super::*;

fn start(limit: u64) -> (UnixStream, Task, mpsc::Receiver<()>) {
    let (ours, childs) = sys::stream_pair().unwrap();
    let (done, is_done) = mpsc::channel();
    let task = Task::start(Captured::new(ours, limit), move || done.send(()).unwrap()).unwrap();
    (childs.into(), task, is_done)
}

#[test]
fn all_of_an_output_is_read() {
    let (mut writer, task, is_done) = start(u64::MAX);
    writer.write_all(&vec![7; 3_000_000]).unwrap();
    drop(writer);
    is_done.recv().unwrap();
    let captured = task.stop();
    assert_eq!(captured.bytes.len(), 3_000_000);
    assert!(captured.fd.is_none() && captured.stop == Some(Stop::Eof));
}

#[test]
fn stopping_returns_the_pipe_and_what_was_read() {
    let (mut writer, task, _is_done) = start(u64::MAX);
    // More than the socket holds, so some of it has been read when this returns.
    writer.write_all(&vec![7; 3_000_000]).unwrap();
    let mut captured = task.stop();
    writer.write_all(b"end").unwrap();
    drop(writer);
    assert!(captured.fd.is_some() && !captured.bytes.is_empty());
    assert_eq!(captured.read(usize::MAX), Progress::Over);
    assert_eq!(captured.bytes.len(), 3_000_003);
}

#[test]
fn an_output_over_its_limit_keeps_its_pipe() {
    let (mut writer, task, is_done) = start(10);
    writer.write_all(&[7; 11]).unwrap();
    is_done.recv().unwrap();
    let captured = task.stop();
    assert!(captured.stop == Some(Stop::TooLong) && captured.fd.is_some());
}

#[test]
fn a_failed_read_is_an_error_and_not_the_end() {
    let file = std::fs::File::open("/dev/null").unwrap();
    let mut captured = Captured::new(file, u64::MAX);
    assert_eq!(captured.read(1), Progress::Over);
    assert_eq!(captured.stop, Some(Stop::Failed(libc::ENOTSOCK)));
}
