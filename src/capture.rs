//! A process run from its launch to its end on one thread: input written, output gathered, limits kept, by a plain poll
//! loop. The synchronous family runs it on the thread of the event loop, the promises on a thread of tokio's pool.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use libc::c_int;

use crate::launch::{self, Command, Launched};
use crate::process::{Process, Usage};
use crate::sys::{self, Exit};

/// The parent's end of one of the child's descriptors.
#[derive(Debug)]
pub enum End<'a> {
    /// The child reads this.
    Input(OwnedFd, &'a [u8]),
    /// The child writes; what it writes is gathered.
    Output(OwnedFd),
    /// Nothing of ours.
    None,
}

/// What ends a process early.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of output.
    pub bytes: u64,
    pub counted: Counted,
    pub timeout: Option<Duration>,
    pub kill_signal: i32,
}

/// Which bytes count towards a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Those of each output by itself, as with exec().
    Each,
    /// Those of all outputs, as with spawnSync().
    Together,
}

/// What became of a process.
#[derive(Debug)]
pub struct Finished {
    pub pid: i32,
    pub exit: Exit,
    pub usage: Usage,
    /// The bytes of each output; `None` for what is not an output.
    pub outputs: Vec<Option<Vec<u8>>>,
    /// The positive errno of what went wrong: `ETIMEDOUT`, `ENOBUFS` (an output over its limit), or what writing the input
    /// met; `ECANCELED` where it was cancelled.
    pub error: Option<i32>,
    /// Which output went over its limit.
    pub overflowed: Option<usize>,
}

struct Input<'a> {
    fd: OwnedFd,
    left: &'a [u8],
}

struct Output {
    /// Open until its end.
    fd: Option<OwnedFd>,
    bytes: Vec<u8>,
}

enum Pipe<'a> {
    Input(Option<Input<'a>>),
    Output(Output),
    None,
}

/// Runs `command` to its end and its outputs to theirs. `ends` are the other ends of its pipes. Once `cancel` is readable
/// the process is killed.
///
/// # Errors
/// The positive errno of a failed launch; nothing is running then.
pub fn run(
    command: Command,
    ends: Vec<End>,
    limits: Limits,
    cancel: Option<BorrowedFd>,
) -> Result<Finished, i32> {
    let deadline = limits.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let Launched { mut process, exec } = launch::launch(command)?;
    let watch = match watch(&process) {
        Ok(watch) => watch,
        Err(error) => {
            // A child that nobody could watch must not run.
            let _ = process.kill(libc::SIGKILL);
            process.wait_for_end();
            return Err(sys::errno(&error));
        }
    };
    let pid = process.pid();
    let mut run = Run {
        process,
        pipes: ends.into_iter().map(pipe).collect(),
        limits,
        total: 0,
        error: None,
        input_error: None,
        overflowed: None,
    };
    let exit = run.until_end(watch.as_ref(), deadline, cancel);
    // The process has ended, so the result is there.
    if let Some(Err(errno)) = exec.poll() {
        return Err(errno);
    }
    let outputs = run.pipes.into_iter().map(|pipe| match pipe {
        Pipe::Output(output) => Some(output.bytes),
        Pipe::Input(_) | Pipe::None => None,
    });
    Ok(Finished {
        pid,
        exit,
        usage: run.process.usage(),
        outputs: outputs.collect(),
        error: run.error.or(run.input_error),
        overflowed: run.overflowed,
    })
}

fn pipe(end: End) -> Pipe {
    match end {
        End::Input(_, []) => Pipe::Input(None),
        End::Input(fd, left) => Pipe::Input(Some(Input { fd, left })),
        End::Output(fd) => Pipe::Output(Output { fd: Some(fd), bytes: vec![] }),
        End::None => Pipe::None,
    }
}

/// A pipe that ends with the process, where there is no process descriptor.
fn watch(process: &Process) -> io::Result<Option<OwnedFd>> {
    if process.fd().is_some() {
        return Ok(None);
    }
    let (ended, end) = sys::status_pipe()?;
    process.watch_from_thread(move || drop(end))?;
    Ok(Some(ended))
}

struct Run<'a> {
    process: Process,
    pipes: Vec<Pipe<'a>>,
    limits: Limits,
    /// The bytes of all outputs.
    total: u64,
    /// What ended the process early.
    error: Option<i32>,
    /// What writing the input met, which ends nothing.
    input_error: Option<i32>,
    overflowed: Option<usize>,
}

/// What an entry of the poll set stands for.
#[derive(Clone, Copy)]
enum Event {
    End,
    Cancel,
    Pipe(usize),
}

impl Run<'_> {
    fn until_end(
        &mut self,
        watch: Option<&OwnedFd>,
        deadline: Option<Instant>,
        cancel: Option<BorrowedFd>,
    ) -> Exit {
        let mut exit = None;
        let mut set = vec![];
        let mut events = vec![];
        loop {
            set.clear();
            events.clear();
            let mut add = |fd: c_int, flags: i16, event: Event| {
                set.push(libc::pollfd { fd, events: flags, revents: 0 });
                events.push(event);
            };
            if exit.is_none() {
                let fd = watch.map(AsRawFd::as_raw_fd).or_else(|| self.process.fd());
                add(fd.unwrap_or(-1), libc::POLLIN, Event::End);
            }
            let is_limited = self.error.is_none();
            if let Some(cancel) = cancel.filter(|_| is_limited) {
                add(cancel.as_raw_fd(), libc::POLLIN, Event::Cancel);
            }
            let mut open = 0;
            for (index, pipe) in self.pipes.iter().enumerate() {
                match pipe {
                    Pipe::Input(Some(input)) => add(input.fd.as_raw_fd(), libc::POLLOUT, Event::Pipe(index)),
                    Pipe::Output(Output { fd: Some(fd), .. }) => {
                        add(fd.as_raw_fd(), libc::POLLIN, Event::Pipe(index))
                    }
                    Pipe::Input(None) | Pipe::Output(_) | Pipe::None => continue,
                }
                open += 1;
            }
            if let (Some(exit), 0) = (exit, open) {
                return exit;
            }
            let time_left = deadline
                .filter(|_| is_limited)
                .map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if time_left == Some(Duration::ZERO) {
                self.kill(libc::ETIMEDOUT);
                continue;
            }
            if sys::wait_for_events(&mut set, time_left).is_err() {
                // Cannot happen with a valid set; without the wait this would spin.
                self.kill(libc::EINVAL);
                return self.process.wait_for_end().unwrap_or(Exit { code: 0, signal: 0 });
            }
            for (entry, event) in set.iter().zip(&events) {
                match event {
                    _ if entry.revents == 0 => {}
                    Event::End => exit = self.process.try_wait(),
                    Event::Cancel => self.kill(libc::ECANCELED),
                    Event::Pipe(index) => self.move_bytes(*index),
                }
            }
        }
    }

    /// Ends the process early and stops caring for its pipes.
    fn kill(&mut self, error: i32) {
        self.error.get_or_insert(error);
        if let Err(error) = self.process.kill(self.limits.kill_signal)
            && sys::errno(&error) != libc::ESRCH
        {
            let _ = self.process.kill(libc::SIGKILL);
        }
        for pipe in &mut self.pipes {
            match pipe {
                Pipe::Input(input) => *input = None,
                Pipe::Output(output) => output.fd = None,
                Pipe::None => {}
            }
        }
    }

    fn move_bytes(&mut self, index: usize) {
        match self.pipes.get_mut(index) {
            Some(Pipe::Input(slot)) => {
                if let Some(input) = slot {
                    match sys::send(input.fd.as_fd(), input.left) {
                        Ok(sent) => {
                            input.left = input.left.get(sent..).unwrap_or_default();
                            if input.left.is_empty() {
                                *slot = None;
                            }
                        }
                        Err(error) if would_block(&error) => {}
                        Err(error) => {
                            *slot = None;
                            self.input_error.get_or_insert(sys::errno(&error));
                        }
                    }
                }
            }
            Some(Pipe::Output(output)) => {
                let Some(fd) = &output.fd else { return };
                match sys::receive(fd.as_fd(), &mut output.bytes) {
                    Ok(0) => output.fd = None,
                    Ok(length) => {
                        self.total += length as u64;
                        let counted = match self.limits.counted {
                            Counted::Each => output.bytes.len() as u64,
                            Counted::Together => self.total,
                        };
                        if counted > self.limits.bytes {
                            self.overflowed = Some(index);
                            self.kill(libc::ENOBUFS);
                        }
                    }
                    Err(error) if would_block(&error) => {}
                    Err(_) => output.fd = None,
                }
            }
            Some(Pipe::None) | None => {}
        }
    }
}

/// Whether a non-blocking call simply found nothing to do.
#[must_use]
pub fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
