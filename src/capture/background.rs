//! Runs a process on tokio, for the promises.

use std::future::{self, Future};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio::time::{self, Sleep};

use super::{End, Finished, Limits, Pipe, Problem, Run};
use crate::backoff::Backoff;
use crate::launch::{self, Command};
use crate::process::{Ending, Process};
use crate::sys;

/// Runs `command` until it has exited and its outputs are at their end. `ends` are the parent's ends of its pipes. The
/// process is killed when `cancelled` receives a value or its sender is dropped.
///
/// # Errors
/// The launch failed; nothing is running.
pub async fn run_in_background(
    command: Command,
    ends: Vec<End<'static>>,
    limits: Limits,
    mut cancelled: oneshot::Receiver<()>,
) -> Result<Finished, Problem> {
    if !matches!(cancelled.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
        return Err(Problem::Cancelled);
    }
    let mut timeout = pin!(limits.timeout.map(time::sleep));
    let pipes = ends.into_iter().map(|end| {
        let interest = if matches!(end, End::Input(..)) { Interest::WRITABLE } else { Interest::READABLE };
        Pipe::new(end, |fd| sys::watched(fd, interest).map_err(|(_, error)| error))
    });
    let pipes = pipes.collect::<Result<_, _>>().map_err(|error| Problem::launch(sys::errno(&error)))?;
    let launched = launch::launch(command).map_err(Problem::launch)?;
    let mut run = Run::new(launched, pipes, limits);
    let mut watch = Watch::new(&run.process);
    let mut ending = None;
    let ending = future::poll_fn(|cx| {
        if run.killed.is_none() {
            if Pin::new(&mut cancelled).poll(cx).is_ready() {
                run.kill(Problem::Cancelled);
            } else if let Some(timeout) = timeout.as_mut().as_pin_mut()
                && timeout.poll(cx).is_ready()
            {
                run.kill(Problem::TimedOut);
            }
        }
        run.poll_pipes(cx);
        if ending.is_none()
            && let Poll::Ready(ended) = watch.poll(cx, &mut run.process)
        {
            ending = Some(ended);
        }
        match ending {
            Some(ending) if !run.is_open() => Poll::Ready(ending),
            _ => Poll::Pending,
        }
    })
    .await;
    run.finish(ending)
}

impl Run<'_, AsyncFd<OwnedFd>> {
    fn poll_pipes(&mut self, cx: &mut Context) {
        for index in 0..self.pipes.len() {
            while self.poll_pipe(index, cx).is_ready() {}
        }
    }

    /// Reads from or writes to a pipe once. Also pending if the pipe is closed.
    fn poll_pipe(&mut self, index: usize, cx: &mut Context) -> Poll<()> {
        let Some(Pipe { fd: Some(fd), bytes }) = self.pipes.get_mut(index) else { return Poll::Pending };
        let is_ready = if bytes.is_input() { fd.poll_write_ready(cx) } else { fd.poll_read_ready(cx) };
        let moved = match ready!(is_ready) {
            Ok(mut guard) => guard.try_io(|fd| bytes.transfer(fd.as_fd())),
            Err(error) => Ok(Err(error)),
        };
        // An error means that it was not ready after all; the next call registers the waker.
        if let Ok(moved) = moved {
            self.moved(index, moved);
        }
        Poll::Ready(())
    }
}

/// How the exit of a process is detected.
enum Watch {
    Descriptor(AsyncFd<Arc<OwnedFd>>),
    /// There is no pidfd, or it cannot be watched: by polling.
    Timer(Pin<Box<Sleep>>, Backoff),
}

impl Watch {
    fn new(process: &Process) -> Self {
        match process.shared_fd().map(|fd| sys::watched(fd, Interest::READABLE)) {
            Some(Ok(watched)) => Self::Descriptor(watched),
            Some(Err(_)) | None => Self::timer(),
        }
    }

    fn timer() -> Self {
        Self::Timer(Box::pin(time::sleep(Duration::ZERO)), Backoff::default())
    }

    fn poll(&mut self, cx: &mut Context, process: &mut Process) -> Poll<Ending> {
        loop {
            match self {
                Self::Descriptor(watched) => {
                    let guard = ready!(watched.poll_read_ready(cx));
                    if let Some(ending) = process.try_wait() {
                        return Poll::Ready(ending);
                    }
                    match guard {
                        Ok(mut guard) => guard.clear_ready(),
                        Err(_) => *self = Self::timer(),
                    }
                }
                Self::Timer(sleep, backoff) => {
                    ready!(sleep.as_mut().poll(cx));
                    if let Some(ending) = process.try_wait() {
                        return Poll::Ready(ending);
                    }
                    sleep.as_mut().reset(time::Instant::now() + backoff.next_wait());
                }
            }
        }
    }
}
