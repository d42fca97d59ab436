//! The outputs of a process that nobody streams: gathered here until JavaScript asks for them.

use std::cell::{Cell, RefCell};
use std::mem;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::collect::{Gathered, Progress, Task};
use crate::reactor::{Reactor, Registration, Source, Turn};
use crate::sys;

/// An output longer than this goes on in the background, bytes.
const SHORT: usize = 256 * 1024;

#[derive(Default)]
enum Stage {
    /// Read on the loop as it comes.
    OnLoop(Gathered<Registration<OwnedFd>>),
    /// Read by tokio, which wakes the source at the end.
    OffLoop { task: Task, _thread: Registration },
    /// At its end, over its limit, or given up.
    Over(Gathered),
    /// JavaScript has it.
    #[default]
    Taken,
}

/// Why an output ended before its end.
pub(super) enum Failure {
    /// More came than may.
    TooLong,
    /// Reading failed with this positive errno.
    Read(i32),
}

/// One output.
pub(super) struct Output {
    reactor: Rc<Reactor>,
    stage: RefCell<Stage>,
    /// Whether it was closed before its end.
    is_cut: Cell<bool>,
}

impl Output {
    /// Starts gathering what comes through `fd`, at most `limit` bytes; `source` is woken when there is
    /// something to be read.
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
        let stage = RefCell::new(Stage::OnLoop(Gathered::new(pipe, limit)));
        Ok(Self { reactor: Rc::clone(reactor), stage, is_cut: Cell::default() })
    }

    /// Reads what is there, or takes what the background has read. `source` goes on being woken.
    pub fn advance(&self, source: impl FnOnce() -> Rc<dyn Source>) {
        let stage = &mut *self.stage.borrow_mut();
        *stage = match mem::take(stage) {
            Stage::OnLoop(mut gathered) => {
                let length = gathered.bytes.len();
                match gathered.read(if length < SHORT { SHORT } else { length + SHORT }) {
                    Progress::Waiting => Stage::OnLoop(gathered),
                    Progress::Over => Stage::Over(deregistered(gathered)),
                    Progress::More => self.move_off(gathered, source()),
                }
            }
            Stage::OffLoop { task, .. } => {
                let mut gathered = task.stop();
                if gathered.is_unfinished() {
                    // The task has panicked.
                    gathered.error = Some(libc::EIO);
                }
                if gathered.error.is_some() {
                    // Nobody reads on: the child must not wait for that.
                    gathered.close();
                }
                Stage::Over(gathered)
            }
            other => other,
        };
    }

    /// Leaves the rest to tokio, or where that is impossible goes on here.
    fn move_off(&self, gathered: Gathered<Registration<OwnedFd>>, source: Rc<dyn Source>) -> Stage {
        let gathered = deregistered(gathered);
        match self.reactor.register_thread(Turn::WithIo, Rc::clone(&source)) {
            Ok((thread, wake)) => match Task::start(gathered, wake) {
                Ok(task) => Stage::OffLoop { task, _thread: thread },
                Err(gathered) => self.stay(gathered, source),
            },
            Err(_) => self.stay(gathered, source),
        }
    }

    /// Has the source woken again, also for what is there already.
    fn stay(&self, mut gathered: Gathered, source: Rc<dyn Source>) -> Stage {
        let Some(fd) = gathered.fd.take() else { return Stage::Over(gathered) };
        match self.reactor.register(fd, Turn::WithIo, source) {
            Ok(pipe) => Stage::OnLoop(gathered.with_fd(Some(pipe))),
            Err((error, fd)) => {
                gathered.error = Some(sys::errno(&error));
                Stage::Over(gathered.with_fd(Some(fd)))
            }
        }
    }

    /// Whether it is read on the loop, so that what is there can be had at once.
    pub fn is_on_loop(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::OnLoop { .. })
    }

    /// Whether no more will come.
    pub fn is_over(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Over(_) | Stage::Taken)
    }

    /// Why it is over, where that is not its end.
    pub fn failure(&self) -> Option<Failure> {
        match &*self.stage.borrow() {
            Stage::Over(gathered) if gathered.is_over_limit() => Some(Failure::TooLong),
            Stage::Over(gathered) => gathered.error.map(Failure::Read),
            _ => None,
        }
    }

    /// Whether it was closed before its end.
    pub fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    /// Closes the pipe and keeps what came.
    pub fn close(&self) {
        self.is_cut.set(self.is_cut.get() || !self.is_over());
        let mut gathered = self.take();
        gathered.close();
        self.stage.replace(Stage::Over(gathered));
    }

    /// Hands everything over: what came, and the pipe if it isn't at its end.
    pub fn take(&self) -> Gathered {
        match self.stage.take() {
            Stage::OnLoop(gathered) => deregistered(gathered),
            Stage::OffLoop { task, .. } => task.stop(),
            Stage::Over(gathered) => gathered,
            Stage::Taken => Gathered::default(),
        }
    }
}

fn deregistered(mut gathered: Gathered<Registration<OwnedFd>>) -> Gathered {
    let fd = gathered.fd.take().map(Registration::deregister);
    gathered.with_fd(fd)
}

impl Drop for Output {
    fn drop(&mut self) {
        self.take();
    }
}
