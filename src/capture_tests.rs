//! Whole runs of real programs, without Node.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ffi::CString;

use super::*;
use crate::launch::Stdio;

fn limits() -> Limits {
    Limits { bytes: u64::MAX, counted: Counted::Each, timeout: None, kill_signal: libc::SIGTERM }
}

fn run_with(
    args: &[&str],
    input: &[u8],
    limits: Limits,
    cancel: Option<BorrowedFd>,
) -> Result<Finished, i32> {
    let (stdin, childs_stdin) = sys::stream_pair().unwrap();
    let (stdout, childs_stdout) = sys::stream_pair().unwrap();
    let (stderr, childs_stderr) = sys::stream_pair().unwrap();
    let command = Command {
        stdio: vec![Stdio::Pipe(childs_stdin), Stdio::Pipe(childs_stdout), Stdio::Pipe(childs_stderr)],
        ..Command::new(CString::new(args[0]).unwrap(), args.iter().map(|arg| arg.as_bytes()).collect())
    };
    run(command, vec![End::Input(stdin, input), End::Output(stdout), End::Output(stderr)], limits, cancel)
}

fn output(finished: &Finished, index: usize) -> &[u8] {
    finished.outputs[index].as_deref().unwrap()
}

#[test]
fn both_outputs_and_the_exit_code_are_there() {
    let finished = run_with(&["sh", "-c", "echo out; echo err >&2; exit 3"], b"", limits(), None).unwrap();
    assert_eq!(output(&finished, 1), b"out\n");
    assert_eq!(output(&finished, 2), b"err\n");
    assert_eq!((finished.exit, finished.error), (Exit { code: 3, signal: 0 }, None));
    assert!(finished.outputs[0].is_none());
}

#[test]
fn input_longer_than_any_buffer_comes_back_whole() {
    let input: Vec<u8> = (0..3_000_000u32).map(|number| number.to_le_bytes()[0]).collect();
    let finished = run_with(&["cat"], &input, limits(), None).unwrap();
    assert!(output(&finished, 1) == input);
    assert_eq!(finished.error, None);
}

#[test]
fn input_that_nobody_reads_is_reported_and_ends_nothing() {
    let finished =
        run_with(&["sh", "-c", "exec <&-; sleep 0.05; echo done"], &[0; 1_000_000], limits(), None).unwrap();
    assert!(matches!(finished.error, Some(libc::EPIPE | libc::ECONNRESET)));
    assert_eq!(output(&finished, 1), b"done\n");
}

#[test]
fn a_timeout_kills_with_the_signal_asked_for() {
    let timeout = Some(Duration::from_millis(30));
    let finished =
        run_with(&["sleep", "20"], b"", Limits { timeout, kill_signal: libc::SIGINT, ..limits() }, None)
            .unwrap();
    assert_eq!((finished.exit.signal, finished.error), (libc::SIGINT, Some(libc::ETIMEDOUT)));
}

#[test]
fn a_limit_counts_each_output_or_all() {
    let script = ["sh", "-c", "printf 123456; printf 123456 >&2; exec sleep 0.1"];
    let each = run_with(&script, b"", Limits { bytes: 6, ..limits() }, None).unwrap();
    assert_eq!((each.error, each.overflowed), (None, None));
    let together = Limits { bytes: 6, counted: Counted::Together, ..limits() };
    let all = run_with(&script, b"", together, None).unwrap();
    assert_eq!((all.error, all.overflowed.is_some()), (Some(libc::ENOBUFS), true));
}

#[test]
fn a_run_is_cancelled_from_outside() {
    let (cancelled, cancel) = sys::status_pipe().unwrap();
    drop(cancel);
    let finished = run_with(&["sleep", "20"], b"", limits(), Some(cancelled.as_fd())).unwrap();
    assert_eq!((finished.exit.signal, finished.error), (libc::SIGTERM, Some(libc::ECANCELED)));
}

#[test]
fn a_grandchild_that_keeps_the_pipe_is_waited_for() {
    let finished = run_with(&["sh", "-c", "(sleep 0.1; echo late) & exit 0"], b"", limits(), None).unwrap();
    assert_eq!(output(&finished, 1), b"late\n");
}

#[test]
fn what_is_not_there_is_not_run() {
    assert_eq!(run_with(&["no-such-program"], b"", limits(), None).err(), Some(libc::ENOENT));
}
