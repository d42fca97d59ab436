//! The output of a process that is captured while the process runs: read by the event loop, or by tokio.
//!
//! Most commands write a few kilobytes only. For those, handing the pipe to another thread costs more than reading it.
//! So `api/process/output.rs` begins to read on the event loop, and hands an output that turns out to be long to tokio
//! ([`Task`]; see `docs/decisions/capturing.md`).

use std::future;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::AbortHandle;

use super::would_block;
use crate::background::{self, AtEnd};
use crate::sys;

/// How many bytes of one output are read before other tasks have their turn.
const TURN: usize = 1024 * 1024;

/// What has been captured of one output so far, through a pipe whose owner is an `F`.
#[derive(Debug)]
pub struct Captured<F = OwnedFd> {
    /// The pipe; `None` after its end.
    pub fd: Option<F>,
    pub bytes: Vec<u8>,
    /// How many bytes had been read before the last read.
    pub before_last: usize,
    /// The most bytes that are allowed.
    limit: u64,
    /// Why reading has stopped; `None` if there may be more.
    pub stop: Option<Stop>,
}

/// Why reading has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The end of the output has been reached.
    Eof,
    /// There were more bytes than allowed. The pipe stays open until the caller has killed the writer.
    TooLong,
    /// Reading has failed with this positive errno.
    Failed(i32),
}

/// The result of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is available now.
    Waiting,
    /// As much was read as was requested; there may be more.
    More,
    /// Reading has stopped; [`Captured::stop`] says why.
    Over,
}

impl<F> Default for Captured<F> {
    fn default() -> Self {
        let (bytes, before_last, limit, stop) = Default::default();
        Self { fd: None, bytes, before_last, limit, stop }
    }
}

impl<F: AsFd> Captured<F> {
    #[must_use]
    pub fn new(fd: F, limit: u64) -> Self {
        Self { fd: Some(fd), limit, ..Self::default() }
    }

    /// The same output, with a pipe that has another owner.
    #[must_use]
    pub fn with_fd<G>(self, fd: Option<G>) -> Captured<G> {
        let Self { bytes, before_last, limit, stop, .. } = self;
        Captured { fd, bytes, before_last, limit, stop }
    }

    /// Reads what is available, until there are `enough` bytes in total.
    pub fn read(&mut self, enough: usize) -> Progress {
        let Some(fd) = self.fd.take() else { return Progress::Over };
        let progress = self.read_from(fd.as_fd(), enough);
        if self.keeps_pipe() {
            self.fd = Some(fd);
        }
        progress
    }

    fn keeps_pipe(&self) -> bool {
        matches!(self.stop, None | Some(Stop::TooLong))
    }

    fn read_from(&mut self, fd: BorrowedFd, enough: usize) -> Progress {
        while self.bytes.len() < enough {
            let before = self.bytes.len();
            self.stop = match sys::receive(fd, &mut self.bytes) {
                Ok(0) => Some(Stop::Eof),
                Ok(_) => {
                    self.before_last = before;
                    (self.bytes.len() as u64 > self.limit).then_some(Stop::TooLong)
                }
                Err(error) if would_block(&error) => return Progress::Waiting,
                Err(error) => Some(Stop::Failed(sys::errno(&error))),
            };
            if self.stop.is_some() {
                return Progress::Over;
            }
        }
        Progress::More
    }
}

/// An output that tokio is reading.
#[derive(Debug)]
pub struct Task {
    /// Shared with the task; [`Task::stop`] takes it.
    reading: Arc<Mutex<Option<Reading>>>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Reading {
    pipe: AsyncFd<OwnedFd>,
    captured: Captured,
}

impl Task {
    /// Continues to read on tokio's thread. `done` is called there when reading is over.
    ///
    /// # Errors
    /// Returns the output if there is no such thread, or the pipe cannot be watched.
    pub fn start(mut captured: Captured, done: impl FnOnce() + Send + 'static) -> Result<Self, Captured> {
        let Ok(runtime) = background::runtime() else { return Err(captured) };
        let Some(fd) = captured.fd.take() else { return Err(captured) };
        let _inside = runtime.enter();
        let pipe = match sys::watched(fd, Interest::READABLE) {
            Ok(pipe) => pipe,
            Err((fd, _)) => {
                captured.fd = Some(fd);
                return Err(captured);
            }
        };
        let reading = Arc::new(Mutex::new(Some(Reading { pipe, captured })));
        let shared = Arc::clone(&reading);
        let done = AtEnd::new(done);
        let task = runtime.spawn(async move {
            let _done = done;
            future::poll_fn(|cx| poll(&shared, cx)).await;
        });
        Ok(Self { reading, task: task.abort_handle() })
    }

    /// Stops reading, and returns what has been read so far.
    #[must_use]
    pub fn stop(self) -> Captured {
        self.task.abort();
        let Some(Reading { pipe, mut captured }) = lock(&self.reading).take() else {
            return Captured::default();
        };
        if captured.keeps_pipe() {
            captured.fd = Some(pipe.into_inner());
        }
        captured
    }
}

fn lock(reading: &Mutex<Option<Reading>>) -> MutexGuard<'_, Option<Reading>> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads until the end or the limit. [`Task::stop`] takes the result.
fn poll(shared: &Mutex<Option<Reading>>, cx: &mut Context) -> Poll<()> {
    loop {
        // The lock is released after each round, so that `stop` does not wait long.
        let mut reading = lock(shared);
        let Some(Reading { pipe, captured }) = &mut *reading else { return Poll::Ready(()) };
        let mut guard = match ready!(pipe.poll_read_ready(cx)) {
            Ok(guard) => guard,
            Err(error) => {
                captured.stop = Some(Stop::Failed(sys::errno(&error)));
                return Poll::Ready(());
            }
        };
        let enough = captured.bytes.len() + TURN;
        match captured.read_from(guard.get_inner().as_fd(), enough) {
            Progress::Waiting => guard.clear_ready(),
            Progress::More => {}
            Progress::Over => return Poll::Ready(()),
        }
    }
}

#[cfg(test)]
mod tests;
