//! Captures the output of processes.
//!
//! The synchronous functions run a process from launch to exit in a poll loop ([`run`]), which writes its input,
//! captures its output and enforces limits. `exec` and the promises capture while the event loop goes on ([`output`]).

mod blocking;
pub mod order;
pub mod output;

use std::borrow::Cow;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

pub use blocking::run;

use crate::launch::{Exec, Launched};
use crate::process::{Ending, Process};
use crate::sys::{self, Exit};

/// The parent's end of one of the child's descriptors.
#[derive(Debug)]
pub enum End<'a> {
    /// The child reads these bytes.
    Input(OwnedFd, Cow<'a, [u8]>),
    /// The child writes, and its output is kept.
    Output(OwnedFd),
    /// Not a pipe to the parent.
    None,
}

/// When to kill a process.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of all outputs together.
    pub bytes: u64,
    pub timeout: Option<Duration>,
    pub kill_signal: i32,
}

/// Why a process did not simply run to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It was killed, because its time was over.
    TimedOut,
    /// It was killed, because the output of this descriptor exceeded its limit.
    TooLong(usize),
    /// A system call has failed: Node's name for it, and the positive errno. After `spawn` no process has run.
    Failed { call: &'static str, errno: i32 },
}

impl Problem {
    /// No process has run, for this reason.
    #[must_use]
    pub fn launch(errno: i32) -> Self {
        Self::Failed { call: "spawn", errno }
    }
}

/// The result of running a process.
#[derive(Debug)]
pub struct Finished {
    pub pid: i32,
    /// `None` if that is unknown; then there is a problem.
    pub exit: Option<Exit>,
    /// The bytes of each output, by descriptor; `None` if the descriptor is not an output.
    pub outputs: Vec<Option<Vec<u8>>>,
    /// Why it was killed; otherwise the first thing that failed.
    pub problem: Option<Problem>,
}

/// The bytes of a pipe.
enum Bytes<'a> {
    Input { bytes: Cow<'a, [u8]>, sent: usize },
    Output(Vec<u8>),
    None,
}

impl Bytes<'_> {
    /// Reads or writes what is possible now. Returns the number of bytes; 0 means the end.
    fn transfer(&mut self, fd: BorrowedFd) -> io::Result<usize> {
        match self {
            Self::Input { bytes, sent } => {
                let moved = sys::send(fd, bytes.get(*sent..).unwrap_or_default())?;
                *sent += moved;
                Ok(if *sent < bytes.len() { moved } else { 0 })
            }
            Self::Output(bytes) => sys::receive(fd, bytes),
            Self::None => Ok(0),
        }
    }

    fn is_input(&self) -> bool {
        matches!(self, Self::Input { .. })
    }

    fn call(&self) -> &'static str {
        if self.is_input() { "write" } else { "read" }
    }
}

/// One pipe.
struct Pipe<'a> {
    /// `None` after its end.
    fd: Option<OwnedFd>,
    bytes: Bytes<'a>,
}

impl<'a> Pipe<'a> {
    fn new(end: End<'a>) -> Self {
        let (fd, bytes) = match end {
            End::Input(fd, bytes) => {
                (Some(fd).filter(|_| !bytes.is_empty()), Bytes::Input { bytes, sent: 0 })
            }
            End::Output(fd) => (Some(fd), Bytes::Output(vec![])),
            End::None => (None, Bytes::None),
        };
        Self { fd, bytes }
    }
}

/// A running process and its pipes.
struct Run<'a> {
    process: Process,
    exec: Arc<Exec>,
    pipes: Vec<Pipe<'a>>,
    limits: Limits,
    /// The number of bytes of all outputs.
    total: u64,
    /// Why it has been killed, if it has.
    killed: Option<Problem>,
    /// The first failure in reading its output or writing its input.
    failure: Option<Problem>,
}

impl<'a> Run<'a> {
    fn new(Launched { process, exec }: Launched, pipes: Vec<Pipe<'a>>, limits: Limits) -> Self {
        Self { process, exec, pipes, limits, total: 0, killed: None, failure: None }
    }

    /// Whether a pipe is still open.
    fn is_open(&self) -> bool {
        self.pipes.iter().any(|pipe| pipe.fd.is_some())
    }

    /// Kills the process and closes its pipes.
    fn kill(&mut self, reason: Problem) {
        self.killed.get_or_insert(reason);
        if let Err(error) = self.process.kill(self.limits.kill_signal)
            && sys::errno(&error) != libc::ESRCH
        {
            let _ = self.process.kill(libc::SIGKILL);
        }
        self.close_pipes();
    }

    fn close_pipes(&mut self) {
        for pipe in &mut self.pipes {
            pipe.fd = None;
        }
    }

    /// Handles the result of reading from or writing to a pipe.
    fn moved(&mut self, index: usize, result: io::Result<usize>) {
        let Some(pipe) = self.pipes.get_mut(index) else { return };
        match result {
            Err(error) if would_block(&error) => {}
            Err(error) => {
                pipe.fd = None;
                let call = pipe.bytes.call();
                self.failure.get_or_insert(Problem::Failed { call, errno: sys::errno(&error) });
            }
            Ok(0) => pipe.fd = None,
            Ok(length) => {
                if let Bytes::Output(_) = &pipe.bytes {
                    self.total += length as u64;
                    if self.total > self.limits.bytes {
                        self.kill(Problem::TooLong(index));
                    }
                }
            }
        }
    }

    /// The result, after the process has exited.
    fn finish(self, ending: Ending) -> Result<Finished, Problem> {
        // The process has exited, so the result of its exec is known.
        if let Some(Err(errno)) = self.exec.poll() {
            return Err(Problem::launch(errno));
        }
        let unknown = ending.err().map(|errno| Problem::Failed { call: "wait", errno });
        let output = |pipe: Pipe| match pipe.bytes {
            Bytes::Output(bytes) => Some(bytes),
            Bytes::Input { .. } | Bytes::None => None,
        };
        Ok(Finished {
            pid: self.process.pid(),
            exit: ending.ok(),
            outputs: self.pipes.into_iter().map(output).collect(),
            problem: self.killed.or(unknown).or(self.failure),
        })
    }
}

/// Whether a non-blocking call failed only because it would have blocked.
#[must_use]
pub fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests;
