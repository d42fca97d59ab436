//! One output of a process that is captured: the reactor begins to read it, and tokio takes over if it is long.

use std::cell::RefCell;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use crate::capture::output::{Captured, Progress, Stop, Task};
use crate::reactor::{Key, Reactor, Source, Turn};
use crate::sys;

/// The rest of an output that is longer than this is read by tokio, bytes.
const SHORT: usize = 256 * 1024;

#[derive(Default)]
enum Stage {
    /// Read on the loop as it comes.
    OnLoop { captured: Captured, key: Key },
    /// Read by tokio, which wakes the source at the end.
    OffLoop { task: Task, key: Key },
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
    /// Captures what comes through `fd`, at most `limit` bytes. `source` is called when there is something to read; it has to
    /// call [`Output::advance`].
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
    pub fn start(
        reactor: &Rc<Reactor>,
        fd: OwnedFd,
        limit: u64,
        source: Rc<dyn Source>,
    ) -> std::io::Result<Self> {
        let key = reactor.register(fd.as_raw_fd(), Turn::WithIo, source)?;
        let stage = RefCell::new(Stage::OnLoop { captured: Captured::new(fd, limit), key });
        Ok(Self { reactor: Rc::clone(reactor), stage })
    }

    /// Reads what is there, or takes what tokio has read. `source` makes the source that is called at tokio's end.
    pub fn advance(&self, source: impl FnOnce() -> Rc<dyn Source>) {
        let stage = &mut *self.stage.borrow_mut();
        *stage = match mem::take(stage) {
            Stage::OnLoop { mut captured, key } => {
                let length = captured.bytes.len();
                match captured.read(if length < SHORT { SHORT } else { length + SHORT }) {
                    Progress::Waiting => Stage::OnLoop { captured, key },
                    Progress::Over => self.finish(captured, key),
                    Progress::More => self.move_off(captured, key, source()),
                }
            }
            Stage::OffLoop { task, key } => {
                self.reactor.forget(key);
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

    /// Leaves the rest to tokio, or where there is none goes on here.
    fn move_off(&self, captured: Captured, key: Key, source: Rc<dyn Source>) -> Stage {
        let Some(fd) = captured.fd.as_ref().map(AsRawFd::as_raw_fd) else {
            return self.finish(captured, key);
        };
        let Ok((thread_key, wake)) = self.reactor.register_thread(Turn::WithIo, source) else {
            return self.stay(captured, key, fd);
        };
        match Task::start(captured, wake) {
            Ok(task) => {
                // The task keeps it open.
                self.reactor.deregister(key, fd);
                Stage::OffLoop { task, key: thread_key }
            }
            Err(captured) => {
                self.reactor.forget(thread_key);
                self.stay(captured, key, fd)
            }
        }
    }

    /// Goes on reading on the loop: the source is called again for what is there already.
    fn stay(&self, mut captured: Captured, key: Key, fd: RawFd) -> Stage {
        match self.reactor.reregister(key, fd, false) {
            Ok(()) => Stage::OnLoop { captured, key },
            Err(error) => {
                captured.stop = Some(Stop::Failed(sys::errno(&error)));
                self.finish(captured, key)
            }
        }
    }

    fn finish(&self, captured: Captured, key: Key) -> Stage {
        match &captured.fd {
            Some(fd) => self.reactor.deregister(key, fd.as_raw_fd()),
            None => self.reactor.forget(key),
        }
        Stage::Over(captured)
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

    /// How many bytes there are, once reading has stopped.
    pub fn length(&self) -> usize {
        match &*self.stage.borrow() {
            Stage::Over(captured) => captured.bytes.len(),
            _ => 0,
        }
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
            Stage::OnLoop { captured, key } => {
                if let Some(fd) = &captured.fd {
                    self.reactor.deregister(key, fd.as_raw_fd());
                }
                captured
            }
            Stage::OffLoop { task, key } => {
                self.reactor.forget(key);
                task.stop()
            }
            Stage::Over(captured) => captured,
            Stage::Taken => Captured::default(),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.take();
    }
}
