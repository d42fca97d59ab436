//! Output gathered off the event loop: tokio reads a pipe to its end, or to its limit, into one buffer.
//!
//! Most commands write a few kilobytes and are done: for those a hand-over to another thread costs more than the reads,
//! so `api/output.rs` begins on the loop and comes here when an output turns out to be long (`docs/decisions/`).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc;

use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::background;
use crate::capture::would_block;
use crate::sys;

/// How much is read of one output before others have their turn, bytes.
const TURN: usize = 4 * 1024 * 1024;

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
}

/// How reading went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing to be read now.
    Waiting,
    /// As much was read as was asked for; there may be more.
    More,
    /// The end has been reached, or the limit passed.
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
                Ok(_) | Err(_) => return Progress::Over,
            }
        }
        Progress::More
    }
}

/// An output that tokio is gathering.
#[derive(Debug)]
pub struct Task {
    stop: oneshot::Sender<()>,
    result: mpsc::Receiver<Gathered>,
}

impl Task {
    /// Goes on gathering in the background; `done` is called there at the end.
    ///
    /// # Errors
    /// Gives the output back where there is no background.
    pub fn start(gathered: Gathered, done: impl FnOnce() + Send + 'static) -> Result<Self, Gathered> {
        let Some(runtime) = background::runtime() else {
            return Err(gathered);
        };
        let (stop, stopped) = oneshot::channel();
        let (sender, result) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            let gathered = gather(gathered, stopped).await;
            // Nobody listens any more when the environment is gone.
            let _ = sender.send(gathered);
            done();
        });
        Ok(Self { stop, result })
    }

    /// What has been gathered so far, or all of it; the background lets go of the pipe.
    #[must_use]
    pub fn stop(self) -> Gathered {
        let _ = self.stop.send(());
        self.result.recv().unwrap_or_default()
    }
}

async fn gather(mut gathered: Gathered, mut stopped: oneshot::Receiver<()>) -> Gathered {
    let Some(Ok(stream)) = gathered.fd.take().map(register) else {
        return gathered;
    };
    loop {
        tokio::select! {
            _ = &mut stopped => {
                gathered.fd = stream.into_std().ok().map(OwnedFd::from);
                return gathered;
            }
            _ = stream.readable() => {
                let enough = gathered.bytes.len() + TURN;
                let read = stream.try_io(Interest::READABLE, || match gathered.read_from(stream.as_fd(), enough) {
                    Progress::Waiting => Err(io::ErrorKind::WouldBlock.into()),
                    progress => Ok(progress),
                });
                match read {
                    Ok(Progress::More) => tokio::task::yield_now().await,
                    Ok(_) => {
                        if gathered.is_over_limit() {
                            gathered.fd = stream.into_std().ok().map(OwnedFd::from);
                        }
                        return gathered;
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

fn register(fd: OwnedFd) -> io::Result<UnixStream> {
    let stream = std::os::unix::net::UnixStream::from(fd);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}
