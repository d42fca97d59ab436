use std::process::Command;

use super::*;

/// Whether the process no longer exists, not even as a zombie.
fn is_reaped(pid: pid_t) -> bool {
    sys::kill(pid, 0).is_err()
}

#[test]
fn without_a_thread_they_are_reaped_at_the_next_launch() {
    let pid = Command::new("true").spawn().unwrap().id() as pid_t;
    unwatched().push(pid);
    while !is_reaped(pid) {
        reap_ended();
    }
    assert!(!unwatched().contains(&pid));
}

#[test]
fn with_and_without_a_pidfd_they_are_reaped_when_they_exit() {
    for has_fd in [true, false] {
        let pid = Command::new("true").spawn().unwrap().id() as pid_t;
        adopt(pid, sys::process_fd(pid).ok().filter(|_| has_fd).map(Arc::new));
        while !is_reaped(pid) {
            std::thread::yield_now();
        }
    }
}
