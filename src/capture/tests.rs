//! Runs real programs from launch to exit, without Node.

use std::ffi::CString;
use std::fs::File;

use super::*;
use crate::launch::{Command, Stdio};
use crate::sys::Exit;

fn limits() -> Limits {
    Limits { bytes: u64::MAX, timeout: None, kill_signal: libc::SIGTERM }
}

/// The command, and the parent's ends of its three pipes.
fn command<'a>(args: &[&str], input: &'a [u8]) -> (Command, Vec<End<'a>>) {
    let (stdin, childs_stdin) = sys::stream_pair().unwrap();
    let (stdout, childs_stdout) = sys::stream_pair().unwrap();
    let (stderr, childs_stderr) = sys::stream_pair().unwrap();
    let command = Command {
        stdio: vec![Stdio::Pipe(childs_stdin), Stdio::Pipe(childs_stdout), Stdio::Pipe(childs_stderr)],
        ..Command::new(CString::new(args[0]).unwrap(), args.iter().map(|arg| arg.as_bytes()).collect())
    };
    (command, vec![End::Input(stdin, input.into()), End::Output(stdout), End::Output(stderr)])
}

fn run_with(args: &[&str], input: &[u8], limits: Limits) -> Finished {
    let (command, ends) = command(args, input);
    run(command, ends, limits).unwrap()
}

const EXITED: Option<Exit> = Some(Exit { code: 0, signal: 0 });

fn killed(signal: i32) -> Option<Exit> {
    Some(Exit { code: 0, signal })
}

fn output(finished: &Finished, index: usize) -> &[u8] {
    finished.outputs[index].as_deref().unwrap()
}

#[test]
fn both_outputs_and_the_exit_code_are_there() {
    let finished = run_with(&["sh", "-c", "echo out; echo err >&2; exit 3"], b"", limits());
    assert_eq!(output(&finished, 1), b"out\n");
    assert_eq!(output(&finished, 2), b"err\n");
    assert_eq!(finished.exit, Some(Exit { code: 3, signal: 0 }));
    assert_eq!(finished.problem, None);
    assert!(finished.outputs[0].is_none());
}

#[test]
fn input_longer_than_any_buffer_comes_back_whole() {
    let input: Vec<u8> = (0..3_000_000u32).map(|number| number.to_le_bytes()[0]).collect();
    let finished = run_with(&["cat"], &input, limits());
    assert!(output(&finished, 1) == input);
    assert_eq!(finished.problem, None);
}

#[test]
fn input_that_nobody_reads_is_reported_and_does_not_stop_the_run() {
    let finished = run_with(&["sh", "-c", "exec <&-; sleep 0.05; echo done"], &vec![0; 1_000_000], limits());
    let Some(Problem::Failed { call: "write", errno }) = finished.problem else { panic!("{finished:?}") };
    assert!(matches!(errno, libc::EPIPE | libc::ECONNRESET));
    assert_eq!(output(&finished, 1), b"done\n");
}

#[test]
fn a_timeout_kills_with_the_requested_signal() {
    let limits = Limits { timeout: Some(Duration::from_millis(30)), kill_signal: libc::SIGINT, ..limits() };
    let finished = run_with(&["sleep", "20"], b"", limits);
    assert_eq!((finished.exit, finished.problem), (killed(libc::SIGINT), Some(Problem::TimedOut)));
}

#[test]
fn a_limit_counts_all_outputs() {
    let script = ["sh", "-c", "printf 123456; printf 123456 >&2; exec sleep 0.1"];
    let within = run_with(&script, b"", Limits { bytes: 12, ..limits() });
    assert_eq!((within.exit, within.problem), (EXITED, None));
    let beyond = run_with(&script, b"", Limits { bytes: 11, ..limits() });
    assert!(matches!(beyond.problem, Some(Problem::TooLong(1 | 2))));
}

#[test]
fn a_grandchild_that_keeps_the_pipe_is_waited_for() {
    let finished = run_with(&["sh", "-c", "(sleep 0.1; echo late) & exit 0"], b"", limits());
    assert_eq!(output(&finished, 1), b"late\n");
}

#[test]
fn a_missing_program_is_not_run() {
    let (command, ends) = command(&["no-such-program"], b"");
    assert_eq!(run(command, ends, limits()).err(), Some(Problem::launch(libc::ENOENT)));
}

#[test]
fn a_failed_read_is_a_failure_and_not_the_end() {
    let (command, _) = command(&["true"], b"");
    let no_socket = File::open("/dev/zero").unwrap();
    let finished = run(command, vec![End::Output(no_socket.into())], limits()).unwrap();
    assert_eq!(finished.problem, Some(Problem::Failed { call: "read", errno: libc::ENOTSOCK }));
}
