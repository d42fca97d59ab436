//! Reads output off the event loop: tokio reads a pipe into one buffer, up to its end or its limit.
//!
//! Most commands write a few kilobytes only. For those, handing the pipe to another thread costs more than reading it.
//! So `api/process/output.rs` begins to read on the event loop and uses this module when an output turns out to be long
//! (`docs/decisions/gathering.md`).

use std::future;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::AbortHandle;

use crate::background::{self, AtEnd};
use crate::capture::would_block;
use crate::sys;

/// How many bytes of one output are read before other tasks have their turn.
const TURN: usize = 1024 * 1024;

/// The part of one output that has been read.
#[derive(Debug)]
pub struct Gathered<F = OwnedFd> {
    /// The pipe; `None` after its end.
    pub fd: Option<F>,
    pub bytes: Vec<u8>,
    /// How many bytes had been read before the last read.
    pub before_last: usize,
    /// The most bytes that are allowed.
    pub limit: u64,
    /// The positive errno with which reading has failed.
    pub error: Option<i32>,
    /// Whether tokio has reached the end.
    is_at_end: bool,
}

/// The result of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is available now.
    Waiting,
    /// As much was read as was requested; there may be more.
    More,
    /// The end was reached, the limit was exceeded, or reading has failed.
    Over,
}

impl<F> Default for Gathered<F> {
    fn default() -> Self {
        let (bytes, before_last, limit, error, is_at_end) = Default::default();
        Self { fd: None, bytes, before_last, limit, error, is_at_end }
    }
}

impl<F: AsFd> Gathered<F> {
    #[must_use]
    pub fn new(fd: F, limit: u64) -> Self {
        Self { fd: Some(fd), limit, ..Self::default() }
    }

    /// The same output, with a pipe that has another owner.
    #[must_use]
    pub fn with_fd<G>(self, fd: Option<G>) -> Gathered<G> {
        let Self { bytes, before_last, limit, error, is_at_end, .. } = self;
        Gathered { fd, bytes, before_last, limit, error, is_at_end }
    }

    /// Whether there are more bytes than allowed.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.bytes.len() as u64 > self.limit
    }

    /// Whether more can be read.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.fd.is_some() && !self.is_over_limit() && self.error.is_none()
    }

    /// Closes the pipe.
    pub fn close(&mut self) {
        self.fd = None;
    }

    /// Reads what is available, until there are `enough` bytes in total.
    pub fn read(&mut self, enough: usize) -> Progress {
        let Some(fd) = self.fd.take() else {
            return Progress::Over;
        };
        let progress = self.read_from(fd.as_fd(), enough);
        // An output over its limit is not at its end: its pipe stays open until the caller has killed the writer.
        if progress != Progress::Over || self.is_over_limit() {
            self.fd = Some(fd);
        }
        progress
    }

    fn read_from(&mut self, fd: BorrowedFd, enough: usize) -> Progress {
        while self.bytes.len() < enough {
            let before = self.bytes.len();
            match sys::receive(fd, &mut self.bytes) {
                Ok(length) if length > 0 => {
                    self.before_last = before;
                    if self.is_over_limit() {
                        return Progress::Over;
                    }
                }
                Err(error) if would_block(&error) => return Progress::Waiting,
                Ok(_) => return Progress::Over,
                Err(error) => {
                    self.error = Some(sys::errno(&error));
                    return Progress::Over;
                }
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
    gathered: Gathered,
}

impl Task {
    /// Continues to read on tokio's thread. `done` is called there when reading is over.
    ///
    /// # Errors
    /// Returns the output if there is no such thread, or the pipe cannot be watched.
    pub fn start(mut gathered: Gathered, done: impl FnOnce() + Send + 'static) -> Result<Self, Gathered> {
        let Ok(runtime) = background::runtime() else { return Err(gathered) };
        let Some(fd) = gathered.fd.take() else { return Err(gathered) };
        let _inside = runtime.enter();
        let pipe = match sys::watched(fd, Interest::READABLE) {
            Ok(pipe) => pipe,
            Err((fd, _)) => {
                gathered.fd = Some(fd);
                return Err(gathered);
            }
        };
        let reading = Arc::new(Mutex::new(Some(Reading { pipe, gathered })));
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
    pub fn stop(self) -> Gathered {
        self.task.abort();
        let Some(Reading { pipe, mut gathered }) = lock(&self.reading).take() else {
            return Gathered::default();
        };
        if !gathered.is_at_end {
            gathered.fd = Some(pipe.into_inner());
        }
        gathered
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
        let Some(Reading { pipe, gathered }) = &mut *reading else { return Poll::Ready(()) };
        let mut guard = match ready!(pipe.poll_read_ready(cx)) {
            Ok(guard) => guard,
            Err(error) => {
                gathered.error = Some(sys::errno(&error));
                return Poll::Ready(());
            }
        };
        let enough = gathered.bytes.len() + TURN;
        match gathered.read_from(guard.get_inner().as_fd(), enough) {
            Progress::Waiting => guard.clear_ready(),
            Progress::More => {}
            Progress::Over => {
                gathered.is_at_end = !gathered.is_over_limit();
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
