//! Readiness on the libuv loop: one epoll set (mio) holds every descriptor of ours, and one `uv_poll_t` watches the set.
//!
//! One wake of the loop hands out all that is ready. What is latency-bound stays on the loop this way, without a thread
//! to hand over from; and `ref()`/`unref()` count on one libuv handle, however many children there are.
//!
//! A reactor belongs to one loaded copy of the addon on one thread (a Worker, a realm). When its environment goes away,
//! every source is told first, while JavaScript references can still be released; then the handle is closed, and the
//! environment waits for that.

mod callback;
mod keep_alive;
mod set;
mod source;
mod uv;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::{Env, sys as napi_sys};

pub use callback::{Callback, tell};
pub use keep_alive::{KeepAlive, Retain, Work};
pub use set::Key;
use set::{BATCH, Ready, Set};
pub use source::{Source, Turn};
use uv::Handles;

use crate::engine;

/// For how long events are handed out in one turn of the loop: each may run much of a program, and timers and other I/O are
/// to come in between.
const TURN: Duration = Duration::from_millis(1);
/// For how long the ends of processes are told in one turn of the loop, unless so many would be left.
const LATE_TURN: Duration = Duration::from_micros(250);
const MOST_LATE: usize = 64;
/// So often the set is not asked first.
const IN_A_ROW: u32 = 8;

/// The set, and the handle that watches it.
pub struct Reactor {
    env: napi_sys::napi_env,
    set: Set<(Turn, Rc<dyn Source>)>,
    handles: Handles,
    /// The sources that were put off: to this turn of the loop, and to the next.
    late: RefCell<VecDeque<Key>>,
    later: RefCell<Vec<Key>>,
    references: Cell<usize>,
    /// The source that was the only one ready the last time, and how often it has been asked since without asking the set.
    lone: Cell<Option<Key>>,
    asked: Cell<u32>,
}

impl Retain for Reactor {
    fn retain(&self) {
        Reactor::retain(self);
    }

    fn release(&self) {
        Reactor::release(self);
    }
}

impl Reactor {
    /// A reactor on the loop of `env`.
    ///
    /// # Errors
    /// `EMFILE`; `ENOSYS` where the program has no libuv.
    pub fn new(env: &Env) -> io::Result<Rc<Self>> {
        let set = Set::new()?;
        let handles = Handles::new(env, set.as_raw_fd())?;
        let reactor = Rc::new(Self {
            env: env.raw(),
            set,
            handles,
            late: RefCell::default(),
            later: RefCell::default(),
            references: Cell::new(0),
            lone: Cell::default(),
            asked: Cell::default(),
        });
        reactor.handles.start(Rc::clone(&reactor))?;
        Ok(reactor)
    }

    /// Has the source called when `fd` is readable, until it is closed or the source is deregistered.
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
    pub fn register(&self, fd: RawFd, turn: Turn, source: Rc<dyn Source>) -> io::Result<Key> {
        self.set.register(fd, (turn, source))
    }

    /// Has the source called again in the next turn of the loop if its descriptor is readable then, or `or_writable`.
    ///
    /// # Errors
    /// `ENOMEM` (`epoll_ctl(2)`).
    pub fn reregister(&self, key: Key, fd: RawFd, or_writable: bool) -> io::Result<()> {
        self.set.reregister(key, fd, or_writable)
    }

    /// Runs a source's code. A panic of one leaves the others alone.
    fn enter<T>(&self, body: impl FnOnce() -> T) -> Option<T> {
        engine::contain(self.env, || engine::with_scope(&Env::from_raw(self.env), body)).flatten()
    }

    /// Has [`Source::elapsed`] called once, in `time` or a little later; that does not keep the loop alive.
    pub fn call_after(&self, key: Key, time: Duration) {
        self.set.set_deadline(key, time);
        self.start_timer();
    }

    /// Starts the timer for the soonest deadline.
    fn start_timer(&self) {
        if let Some(time) = self.set.until_deadline() {
            self.handles.start_timer(time);
        }
    }

    /// Calls the sources whose time is over.
    fn call_elapsed(&self) {
        let env = Env::from_raw(self.env);
        let now = Instant::now();
        while let Some(key) = self.set.take_due(now) {
            if let Some((_, source)) = self.set.get(key) {
                self.enter(|| source.elapsed(&env));
            }
        }
        self.start_timer();
    }

    /// Registers a source without a descriptor, to be called by [`Reactor::call_after`] and [`Reactor::call_late`].
    pub fn register_timed(&self, source: Rc<dyn Source>) -> Key {
        self.set.insert((Turn::AfterIo, source))
    }

    /// Registers a source that a thread will have called, by calling what this returns.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn register_thread(
        &self,
        turn: Turn,
        source: Rc<dyn Source>,
    ) -> io::Result<(Key, impl FnOnce() + Send + 'static)> {
        self.set.register_thread((turn, source))
    }

    /// Has the source called after the I/O of this turn of the loop, or the next.
    pub fn call_late(&self, key: Key) {
        if let Some((_, source)) = self.set.get(key) {
            self.put_off(key, source.waits_a_turn());
            // There may be no I/O to wake the loop.
            self.handles.call_late_again(true);
        }
    }

    /// Forgets a source. Its descriptor leaves the set when it is closed.
    pub fn forget(&self, key: Key) {
        drop(self.set.remove(key));
    }

    /// Forgets a source and takes its descriptor, which stays open, out of the set.
    pub fn deregister(&self, key: Key, fd: RawFd) {
        self.set.deregister(fd);
        self.forget(key);
    }

    /// Keeps the loop alive until [`Reactor::release`] is called as often.
    pub fn retain(&self) {
        self.references.set(self.references.get() + 1);
        if self.references.get() == 1 {
            self.handles.reference();
        }
    }

    /// Takes one [`Reactor::retain`] back.
    pub fn release(&self) {
        self.references.set(self.references.get().saturating_sub(1));
        if self.references.get() == 0 {
            self.handles.unreference();
        }
    }

    /// Retains or releases for someone who remembers in `retained` which of the two came last.
    pub fn set_retained(&self, retained: &Cell<bool>, wanted: bool) {
        if wanted != retained.replace(wanted) {
            if wanted { self.retain() } else { self.release() }
        }
    }

    /// Hands out everything that is ready. Sources run without any borrow held: they may add and remove others.
    fn dispatch(&self) {
        let env = Env::from_raw(self.env);
        if self.ask_lone(&env) {
            return;
        }
        let begun = Instant::now();
        let mut count = 0;
        loop {
            let Ok(ready) = self.set.poll() else {
                return;
            };
            for Ready { key, is_over } in &ready {
                match self.set.get(*key) {
                    Some((Turn::WithIo, source)) => {
                        self.enter(|| source.ready(&env, *is_over));
                    }
                    Some((Turn::AfterIo, source)) => self.put_off(*key, source.waits_a_turn()),
                    None => {}
                }
            }
            count += ready.len();
            if ready.len() < BATCH || begun.elapsed() > TURN {
                self.lone.set(if let ([Ready { key, .. }], 1) = (&ready[..], count) {
                    Some(*key)
                } else {
                    None
                });
                return;
            }
        }
    }

    /// What wakes the loop is often the one source that did so before: it is asked first, which saves asking the set. What
    /// else is ready wakes the loop again. Says whether it was that one.
    fn ask_lone(&self, env: &Env) -> bool {
        let asked = self.asked.get() + 1;
        self.asked.set(if asked > IN_A_ROW { 0 } else { asked });
        if asked > IN_A_ROW {
            return false;
        }
        let lone = self.lone.get().and_then(|key| self.set.get(key));
        lone.is_some_and(|(turn, source)| {
            turn == Turn::WithIo && self.enter(|| source.look(env)) == Some(true)
        })
    }

    fn put_off(&self, key: Key, waits_a_turn: bool) {
        let (mut late, mut later) = (self.late.borrow_mut(), self.later.borrow_mut());
        if late.is_empty() && later.is_empty() {
            self.handles.call_late();
        }
        if waits_a_turn { later.push(key) } else { late.push_back(key) }
    }

    /// Calls the sources that were put off. Says whether there are more of them, for the next turn of the loop.
    fn dispatch_late(&self) -> bool {
        let env = Env::from_raw(self.env);
        let begun = Instant::now();
        loop {
            let Some(key) = self.late.borrow_mut().pop_front() else {
                break;
            };
            if let Some((_, source)) = self.set.get(key) {
                self.enter(|| source.ready(&env, false));
            }
            let left = self.late.borrow().len();
            if left > 0 && left <= MOST_LATE && begun.elapsed() > LATE_TURN {
                break;
            }
        }
        let mut late = self.late.borrow_mut();
        late.extend(self.later.borrow_mut().drain(..));
        !late.is_empty()
    }

    fn shut_down(&self) {
        for (_, source) in self.set.drain() {
            engine::contain(self.env, || source.shut_down());
        }
    }
}
