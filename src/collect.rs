//! Output gathered off the event loop: tokio reads a pipe to its end, or to its limit, into one buffer.
//!
//! Most commands write a few kilobytes and are done: for those a hand-over to another thread costs more than
//! the reads, so `api/process/output.rs` begins on the loop and comes here when an output turns out to be long
//! (`docs/decisions/`).

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

/// How much is read of one output before others have their turn, bytes.
const TURN: usize = 1024 * 1024;

/// What has been gathered of one output.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The pipe; `None` once it is at its end.
    pub fd: Option<OwnedFd>,
    pub bytes: Vec<u8>,
    /// How many of the bytes were there before the last read.
    pub before_last: usize,
    /// The most bytes there may be.
    pub limit: u64,
    /// The positive errno that reading failed with, for good.
    pub error: Option<i32>,
    /// Whether tokio has read all of it.
    is_at_end: bool,
}

/// How reading went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing to be read now.
    Waiting,
    /// As much was read as was asked for; there may be more.
    More,
    /// The end has been reached, or the limit passed, or reading has failed.
    Over,
}

impl Gathered {
    #[must_use]
    pub fn new(fd: OwnedFd, limit: u64) -> Self {
        Self { fd: Some(fd), limit, ..Self::default() }
    }

    /// Whether there are more bytes than there may be.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.bytes.len() as u64 > self.limit
    }

    /// Whether there is more to come, for whoever reads on.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.fd.is_some() && !self.is_over_limit() && self.error.is_none()
    }

    /// Closes the pipe.
    pub fn close(&mut self) {
        self.fd = None;
    }

    /// Reads what is there, until there are `enough` bytes.
    pub fn read(&mut self, enough: usize) -> Progress {
        let Some(fd) = self.fd.take() else {
            return Progress::Over;
        };
        let progress = self.read_from(fd.as_fd(), enough);
        // Over its limit it isn't at its end: whoever set the limit kills the writer first.
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

/// An output that tokio is gathering.
#[derive(Debug)]
pub struct Task {
    /// What both sides have a hand on; taken by whichever ends the gathering.
    reading: Arc<Mutex<Option<Reading>>>,
    task: AbortHandle,
}

#[derive(Debug)]
struct Reading {
    pipe: AsyncFd<OwnedFd>,
    gathered: Gathered,
}

impl Task {
    /// Goes on gathering in the background; `done` is called there at the end.
    ///
    /// # Errors
    /// Gives the output back where there is no background.
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

    /// What has been gathered so far, or all of it; the background lets go of the pipe.
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

/// Reads until the end, or the limit; what came stays for [`Task::stop`].
fn poll(shared: &Mutex<Option<Reading>>, cx: &mut Context) -> Poll<()> {
    loop {
        // Let go of after each turn, so that whoever stops it does not wait.
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
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    use super::*;

    fn start(limit: u64) -> (UnixStream, Task, mpsc::Receiver<()>) {
        let (ours, childs) = sys::stream_pair().unwrap();
        let (done, is_done) = mpsc::channel();
        let task = Task::start(Gathered::new(ours, limit), move || done.send(()).unwrap()).unwrap();
        (childs.into(), task, is_done)
    }

    #[test]
    fn all_of_an_output_is_gathered() {
        let (mut writer, task, is_done) = start(u64::MAX);
        writer.write_all(&vec![7; 3_000_000]).unwrap();
        drop(writer);
        is_done.recv().unwrap();
        let gathered = task.stop();
        assert_eq!(gathered.bytes.len(), 3_000_000);
        assert!(gathered.fd.is_none() && gathered.error.is_none());
    }

    #[test]
    fn stopping_gives_the_pipe_back_and_what_came() {
        let (mut writer, task, _is_done) = start(u64::MAX);
        // More than the socket holds: some of it has been read when this is over.
        writer.write_all(&vec![7; 3_000_000]).unwrap();
        let mut gathered = task.stop();
        writer.write_all(b"end").unwrap();
        drop(writer);
        assert!(gathered.fd.is_some() && !gathered.bytes.is_empty());
        assert_eq!(gathered.read(usize::MAX), Progress::Over);
        assert_eq!(gathered.bytes.len(), 3_000_003);
    }

    #[test]
    fn an_output_over_its_limit_keeps_its_pipe() {
        let (mut writer, task, is_done) = start(10);
        writer.write_all(&[7; 11]).unwrap();
        is_done.recv().unwrap();
        let gathered = task.stop();
        assert!(gathered.is_over_limit() && gathered.fd.is_some());
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_no_end() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let mut gathered = Gathered::new(file.into(), u64::MAX);
        assert_eq!(gathered.read(1), Progress::Over);
        assert_eq!(gathered.error, Some(libc::ENOTSOCK));
    }
}
