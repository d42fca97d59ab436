//! Readiness events on the libuv loop: one epoll set (mio) holds all our descriptors, and one `uv_poll_t` watches
//! that set.
//!
//! One wake-up of the loop handles everything that is ready. No other thread is involved, which keeps latency low; and
//! `ref()`/`unref()` act on one libuv handle, however many children there are.
//!
//! Each copy of the addon's JavaScript on each thread (a Worker, a realm) has its own reactor. When the environment
//! shuts down, every source first releases its JavaScript references, while that is still possible. Then the libuv
//! handles are closed, and the environment waits until they are.

mod callback;
mod keep_alive;
mod registration;
mod set;
mod source;
mod uv;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::{Env, sys as napi_sys};

pub use callback::{Callback, report_uncaught};
pub use keep_alive::{KeepAlive, Retain, Work};
use set::{BATCH, Key, Ready, Set};
pub use source::{Source, Turn};
use uv::Handles;
pub use uv::is_main;

use crate::engine;

/// How long one iteration of the loop handles events at most: each may run much of a program, and timers and other I/O
/// have to get their turn.
const ITERATION_LIMIT: Duration = Duration::from_millis(1);
/// How long one iteration of the loop reports exits of processes, unless more than `MAX_DEFERRED` would be left.
const DEFERRED_LIMIT: Duration = Duration::from_micros(250);
const MAX_DEFERRED: usize = 64;
/// How often the source that was ready last is tried before epoll is asked again.
const MAX_TRIES: u32 = 8;

/// A source with its turn.
type Registered = (Turn, Rc<dyn Source>);

/// A source of a reactor, with its descriptor. Dropping this removes the source and closes the descriptor.
pub type Registration<F = ()> = registration::Registration<Registered, F>;

/// The epoll set with its sources, and the libuv handles that watch it.
pub struct Reactor {
    env: napi_sys::napi_env,
    set: Rc<Set<Registered>>,
    handles: Handles,
    /// Sources to be called after the I/O of this iteration of the loop.
    deferred: RefCell<VecDeque<Key>>,
    /// Sources to be called after the I/O of the next iteration.
    deferred_longer: RefCell<Vec<Key>>,
    references: Cell<usize>,
    /// The source that was the only one ready last time.
    last_ready: Cell<Option<Key>>,
    /// How often it has been tried since epoll was last asked.
    tries: Cell<u32>,
}

impl Retain for Reactor {
    fn retain(&self) {
        self.references.set(self.references.get() + 1);
        if self.references.get() == 1 {
            self.handles.reference();
        }
    }

    fn release(&self) {
        self.references.set(self.references.get().saturating_sub(1));
        if self.references.get() == 0 {
            self.handles.unreference();
        }
    }
}

impl Reactor {
    /// A reactor on the loop of `env`.
    ///
    /// # Errors
    /// `EMFILE`; `ENOSYS` if the program has no libuv.
    pub fn new(env: &Env) -> io::Result<Rc<Self>> {
        let set = Rc::new(Set::new()?);
        let handles = Handles::new(env, set.as_raw_fd())?;
        let reactor = Rc::new(Self {
            env: env.raw(),
            set,
            handles,
            deferred: RefCell::default(),
            deferred_longer: RefCell::default(),
            references: Cell::new(0),
            last_ready: Cell::default(),
            tries: Cell::default(),
        });
        reactor.handles.start(Rc::clone(&reactor))?;
        Ok(reactor)
    }

    /// Has the source called whenever something comes through `fd`. Events are edge-triggered: what the source leaves
    /// unread is reported again only after [`Registration::reregister`].
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`), with the descriptor.
    pub fn register<F: AsFd>(
        &self,
        fd: F,
        turn: Turn,
        source: Rc<dyn Source>,
    ) -> Result<Registration<F>, (io::Error, F)> {
        self.set.register(fd, (turn, source))
    }

    /// Runs a source's code in a handle scope. A panic does not affect other sources.
    fn enter<T>(&self, body: impl FnOnce() -> T) -> Option<T> {
        engine::contain(self.env, || engine::with_scope(&Env::from_raw(self.env), body)).flatten()
    }

    /// Calls [`Source::elapsed`] once, after `time` or a little later. This does not keep the loop alive.
    pub fn call_after<F>(&self, registration: &Registration<F>, time: Duration) {
        self.set.set_deadline(registration.key(), time);
        self.start_timer();
    }

    /// Starts the timer for the soonest deadline.
    fn start_timer(&self) {
        if let Some(time) = self.set.until_deadline() {
            self.handles.start_timer(time);
        }
    }

    /// Calls the sources whose timeouts have expired.
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
    pub fn register_timed(&self, source: Rc<dyn Source>) -> Registration {
        self.set.insert((Turn::AfterIo, source))
    }

    /// Registers a source that another thread wakes by calling the returned function.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn register_thread(
        &self,
        turn: Turn,
        source: Rc<dyn Source>,
    ) -> io::Result<(Registration, impl FnOnce() + Send + 'static)> {
        self.set.register_thread((turn, source))
    }

    /// Calls the source after the I/O of this iteration of the loop, or the next.
    pub fn call_late<F>(&self, registration: &Registration<F>) {
        let key = registration.key();
        if let Some((_, source)) = self.set.get(key) {
            self.defer(key, source.waits_a_turn());
            // There may be no I/O to wake the loop.
            self.handles.continue_deferred(true);
        }
    }

    /// Calls all sources that are ready. No `RefCell` is borrowed meanwhile, because sources may add and remove others.
    fn dispatch(&self) {
        let env = Env::from_raw(self.env);
        if self.try_last_ready(&env) {
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
                    Some((Turn::AfterIo, source)) => self.defer(*key, source.waits_a_turn()),
                    None => {}
                }
            }
            count += ready.len();
            if ready.len() < BATCH || begun.elapsed() > ITERATION_LIMIT {
                self.last_ready.set(if let ([Ready { key, .. }], 1) = (&ready[..], count) {
                    Some(*key)
                } else {
                    None
                });
                return;
            }
        }
    }

    /// The source that woke the loop last time often wakes it again. Trying that one first saves a system call on the
    /// epoll set; if others are ready too, they wake the loop again. Returns whether it was ready.
    fn try_last_ready(&self, env: &Env) -> bool {
        let tries = self.tries.get() + 1;
        self.tries.set(if tries > MAX_TRIES { 0 } else { tries });
        if tries > MAX_TRIES {
            return false;
        }
        let last = self.last_ready.get().and_then(|key| self.set.get(key));
        last.is_some_and(|(turn, source)| {
            turn == Turn::WithIo && self.enter(|| source.try_ready(env)) == Some(true)
        })
    }

    fn defer(&self, key: Key, waits_a_turn: bool) {
        let (mut deferred, mut longer) = (self.deferred.borrow_mut(), self.deferred_longer.borrow_mut());
        if deferred.is_empty() && longer.is_empty() {
            self.handles.start_deferred();
        }
        if waits_a_turn { longer.push(key) } else { deferred.push_back(key) }
    }

    /// Calls the deferred sources. Returns whether some are left for the next iteration of the loop.
    fn dispatch_deferred(&self) -> bool {
        let env = Env::from_raw(self.env);
        let begun = Instant::now();
        loop {
            let Some(key) = self.deferred.borrow_mut().pop_front() else {
                break;
            };
            if let Some((_, source)) = self.set.get(key) {
                self.enter(|| source.ready(&env, false));
            }
            let left = self.deferred.borrow().len();
            if left > 0 && left <= MAX_DEFERRED && begun.elapsed() > DEFERRED_LIMIT {
                break;
            }
        }
        let mut deferred = self.deferred.borrow_mut();
        deferred.extend(self.deferred_longer.borrow_mut().drain(..));
        !deferred.is_empty()
    }

    fn shut_down(&self) {
        for (_, source) in self.set.drain() {
            engine::contain(self.env, || source.shut_down());
        }
    }
}
