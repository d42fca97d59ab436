//! The poll loop of the synchronous functions.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use super::{End, Finished, Limits, Pipe, Problem, Run};
use crate::backoff::Backoff;
use crate::launch::{self, Command};
use crate::process::Ending;
use crate::sys;

/// Runs `command` until it has exited and its outputs are at their end. `ends` are the parent's ends of its pipes.
///
/// # Errors
/// The launch failed; nothing is running.
pub fn run(command: Command, ends: Vec<End>, limits: Limits) -> Result<Finished, Problem> {
    let deadline = limits.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let pipes = ends.into_iter().map(Pipe::new).collect();
    let launched = launch::launch(command).map_err(Problem::launch)?;
    let mut run = Run::new(launched, pipes, limits);
    let ending = run.until_end(deadline);
    run.finish(ending)
}

impl Run<'_> {
    fn until_end(&mut self, deadline: Option<Instant>) -> Ending {
        let mut ending = None;
        let mut backoff = Backoff::default();
        loop {
            // Without a pidfd the exit has to be polled for.
            let polls_exit = ending.is_none() && self.process.fd().is_none();
            if polls_exit {
                ending = self.process.try_wait();
            }
            if let (Some(ending), false) = (ending, self.is_open()) {
                return ending;
            }
            let time_left = deadline
                .filter(|_| self.killed.is_none())
                .map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if time_left == Some(Duration::ZERO) {
                self.kill(Problem::TimedOut);
                continue;
            }
            let wait = if polls_exit {
                Some(backoff.next_wait().min(time_left.unwrap_or(Duration::MAX)))
            } else {
                time_left
            };
            let (mut set, pipes) = self.poll_set(ending.is_none());
            if let Err(error) = sys::wait_for_events(&mut set, wait) {
                // Going on would be a busy loop.
                self.failure.get_or_insert(Problem::Failed { call: "poll", errno: sys::errno(&error) });
                self.close_pipes();
                let _ = self.process.kill(libc::SIGKILL);
                return self.process.wait_for_end();
            }
            let Some((end, set)) = set.split_first() else { continue };
            for (index, _) in pipes.into_iter().zip(set).filter(|(_, entry)| entry.revents != 0) {
                self.move_bytes(index);
            }
            if end.revents != 0 {
                ending = self.process.try_wait();
            }
        }
    }

    /// The descriptors to poll: the pidfd, then the pipes; and the indexes of those pipes. poll(2) ignores negative
    /// descriptors.
    fn poll_set(&self, awaits_end: bool) -> (Vec<libc::pollfd>, Vec<usize>) {
        let entry = |fd, events| libc::pollfd { fd, events, revents: 0 };
        let end = self.process.fd().filter(|_| awaits_end).unwrap_or(-1);
        let mut set = vec![entry(end, libc::POLLIN)];
        let mut pipes = vec![];
        for (index, pipe) in self.pipes.iter().enumerate() {
            if let Some(fd) = &pipe.fd {
                let events = if pipe.bytes.is_input() { libc::POLLOUT } else { libc::POLLIN };
                set.push(entry(fd.as_raw_fd(), events));
                pipes.push(index);
            }
        }
        (set, pipes)
    }

    fn move_bytes(&mut self, index: usize) {
        // The pipe may have been closed meanwhile, because another pipe exceeded a limit.
        if let Some(Pipe { fd: Some(fd), bytes }) = self.pipes.get_mut(index) {
            let moved = bytes.transfer(fd.as_fd());
            self.moved(index, moved);
        }
    }
}
