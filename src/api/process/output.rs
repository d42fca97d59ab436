//! One output of a process that is captured: the reactor begins to read it, and tokio takes over if it is long.

use std::cell::RefCell;
use std::mem;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::capture::output::{Captured, Progress, Stop, Task};
use crate::reactor::{Reactor, Registration, Source, Turn};
use crate::sys;

/// The rest of an output that is longer than this is read by tokio, bytes.
const SHORT: usize = 256 * 1024;

#[derive(Default)]
enum Stage {
    /// Read on the loop as it comes.
    OnLoop(Captured<Registration<OwnedFd>>),
    /// Read by tokio, which wakes the source at the end.
    OffLoop { task: Task, _thread: Registration },
    /// Nothing more is read.
    Over(Captured),
    #[default]
    Taken,
}

/// One output.
pub(super) struct Output {
    reactor: Rc<Reactor>,
    stage: RefCell<Stage>,
}

impl Output {
    /// Captures what comes through `fd`, at most `limit` bytes. `source` is called when there is something to read; it
    /// has to call [`Output::advance`].
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
    pub fn start(
        reactor: &Rc<Reactor>,
        fd: OwnedFd,
        limit: u64,
        source: Rc<dyn Source>,
    ) -> std::io::Result<Self> {
        let pipe = reactor.register(fd, Turn::WithIo, source).map_err(|(error, _)| error)?;
        let stage = RefCell::new(Stage::OnLoop(Captured::new(pipe, limit)));
        Ok(Self { reactor: Rc::clone(reactor), stage })
    }

    /// Reads what is there, or takes what tokio has read. `source` makes the source that is called at tokio's end.
    /// `stays`: tokio does not read it.
    pub fn advance(&self, stays: bool, source: impl FnOnce() -> Rc<dyn Source>) {
        let stage = &mut *self.stage.borrow_mut();
        *stage = match mem::take(stage) {
            Stage::OnLoop(mut captured) => {
                let length = captured.bytes.len();
                match captured.read(if length < SHORT { SHORT } else { length + SHORT }) {
                    Progress::Waiting => Stage::OnLoop(captured),
                    Progress::Over => Stage::Over(deregistered(captured)),
                    Progress::More if stays => self.stay(deregistered(captured), source()),
                    Progress::More => self.move_off(captured, source()),
                }
            }
            Stage::OffLoop { task, .. } => {
                let mut captured = task.stop();
                if captured.stop.is_none() {
                    // The task has panicked. The child must not wait for a reader.
                    captured.stop = Some(Stop::Failed(libc::EIO));
                    captured.fd = None;
                }
                Stage::Over(captured)
            }
            other => other,
        };
    }

    /// Has tokio read the rest; if there is no tokio, goes on here.
    fn move_off(&self, captured: Captured<Registration<OwnedFd>>, source: Rc<dyn Source>) -> Stage {
        let captured = deregistered(captured);
        match self.reactor.register_thread(Turn::WithIo, Rc::clone(&source)) {
            Ok((thread, wake)) => match Task::start(captured, wake) {
                Ok(task) => Stage::OffLoop { task, _thread: thread },
                Err(captured) => self.stay(captured, source),
            },
            Err(_) => self.stay(captured, source),
        }
    }

    /// Goes on reading on the loop: the source is called again for what is there already.
    fn stay(&self, mut captured: Captured, source: Rc<dyn Source>) -> Stage {
        let Some(fd) = captured.fd.take() else { return Stage::Over(captured) };
        match self.reactor.register(fd, Turn::WithIo, source) {
            Ok(pipe) => Stage::OnLoop(captured.with_fd(Some(pipe))),
            Err((error, fd)) => {
                captured.stop = Some(Stop::Failed(sys::errno(&error)));
                Stage::Over(captured.with_fd(Some(fd)))
            }
        }
    }

    /// Whether the loop reads it, so that [`Output::advance`] takes what is there now.
    pub fn is_on_loop(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::OnLoop { .. })
    }

    /// Whether no more will come.
    pub fn is_over(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Over(_) | Stage::Taken)
    }

    /// Why reading has stopped, if it has.
    pub fn stop(&self) -> Option<Stop> {
        match &*self.stage.borrow() {
            Stage::Over(captured) => captured.stop,
            _ => None,
        }
    }

    /// How many bytes have been read on the loop, or once reading has stopped.
    pub fn length(&self) -> usize {
        self.with_bytes(<[u8]>::len)
    }

    /// Calls `body` with these bytes.
    pub fn with_bytes<T>(&self, body: impl FnOnce(&[u8]) -> T) -> T {
        body(match &*self.stage.borrow() {
            Stage::OnLoop(captured) => &captured.bytes,
            Stage::Over(captured) => &captured.bytes,
            Stage::OffLoop { .. } | Stage::Taken => &[],
        })
    }

    /// Closes the pipe and keeps what was read.
    pub fn close(&self) {
        let mut captured = self.take();
        captured.fd = None;
        self.stage.replace(Stage::Over(captured));
    }

    /// Stops reading. Returns what was read, with the pipe unless that has been closed.
    pub fn take(&self) -> Captured {
        match self.stage.take() {
            Stage::OnLoop(captured) => deregistered(captured),
            Stage::OffLoop { task, .. } => task.stop(),
            Stage::Over(captured) => captured,
            Stage::Taken => Captured::default(),
        }
    }
}

fn deregistered(mut captured: Captured<Registration<OwnedFd>>) -> Captured {
    let fd = captured.fd.take().map(Registration::deregister);
    captured.with_fd(fd)
}

impl Drop for Output {
    fn drop(&mut self) {
        self.take();
    }
}
