use super::*;

#[expect(clippy::zombie_processes, reason = "it is reaped by its pid")]
fn exit_7() -> Process {
    let child = std::process::Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
    let pid = child.id() as libc::pid_t;
    Process::new(pid, sys::process_fd(pid).ok())
}

#[test]
fn the_ending_of_a_child_that_other_code_has_reaped_is_known_or_an_error() {
    let mut process = exit_7();
    assert!(sys::reap(process.pid(), true).unwrap().is_some());
    let ending = process.wait_for_end();
    assert!(matches!(ending, Ok(Exit { code: 7, signal: 0 }) | Err(libc::ECHILD)), "{ending:?}");
}

#[test]
fn without_a_pidfd_it_is_an_error() {
    let mut process = exit_7();
    process.fd = None;
    assert!(sys::reap(process.pid(), true).unwrap().is_some());
    assert_eq!(process.try_wait(), Some(Err(libc::ECHILD)));
    assert!(process.has_ended());
}
