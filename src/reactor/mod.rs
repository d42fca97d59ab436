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
mod source;
mod uv;

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use napi::{Env, sys as napi_sys};
use slab::Slab;

pub use callback::{Callback, report_uncaught};
pub use keep_alive::{KeepAlive, Retain, Work};
pub use source::{Key, Source, Turn};
use uv::Handles;

use crate::engine;

struct Registered {
    key: Key,
    turn: Turn,
    source: Rc<dyn Source>,
}

/// How many events are taken from the kernel at once.
const BATCH: usize = 16;
/// How long events are handled in one iteration of the loop. Each may run much JavaScript, and timers and other I/O
/// must have their turn.
const ITERATION_LIMIT: Duration = Duration::from_millis(1);
/// How long deferred sources are called in one iteration of the loop, unless more than [`MAX_DEFERRED`] would be left.
const DEFERRED_LIMIT: Duration = Duration::from_micros(250);
const MAX_DEFERRED: usize = 64;
/// How often in a row the last ready source is tried before epoll is asked again, so that others are not starved.
const MAX_TRIES: u32 = 8;
const WAKER: Token = Token(usize::MAX);

/// The set, its sources, and the handle that watches it.
pub struct Reactor {
    env: napi_sys::napi_env,
    poll: RefCell<Poll>,
    events: RefCell<Events>,
    sources: RefCell<Slab<Registered>>,
    /// How many sources have been registered so far.
    uses: Cell<usize>,
    handles: Handles,
    /// Sources to be called after the I/O of this iteration of the loop.
    deferred: RefCell<VecDeque<Key>>,
    /// Sources to be called after the I/O of the next iteration.
    deferred_longer: RefCell<Vec<Key>>,
    /// The timeouts of sources, the soonest on top.
    deadlines: RefCell<BinaryHeap<Reverse<(Instant, Key)>>>,
    references: Cell<usize>,
    waker: RefCell<Option<Arc<Threads>>>,
    /// The source that was the only one ready last time.
    last_ready: Cell<Option<Key>>,
    /// How often it has been tried since epoll was last asked.
    tries: Cell<u32>,
}

/// How other threads wake sources.
struct Threads {
    waker: Waker,
    done: Mutex<Vec<Key>>,
}

impl Retain for Reactor {
    fn retain(&self) {
        Reactor::retain(self);
    }

    fn release(&self) {
        Reactor::release(self);
    }
}

fn interest(or_writable: bool) -> Interest {
    if or_writable { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE }
}

impl Reactor {
    /// A reactor on the loop of `env`.
    ///
    /// # Errors
    /// `EMFILE`; `ENOSYS` if the program has no libuv.
    pub fn new(env: &Env) -> io::Result<Rc<Self>> {
        let poll = Poll::new()?;
        let handles = Handles::new(env, poll.as_raw_fd())?;
        let reactor = Rc::new(Self {
            env: env.raw(),
            poll: RefCell::new(poll),
            events: RefCell::new(Events::with_capacity(BATCH)),
            sources: RefCell::default(),
            uses: Cell::new(0),
            handles,
            deferred: RefCell::default(),
            deferred_longer: RefCell::default(),
            deadlines: RefCell::default(),
            references: Cell::new(0),
            waker: RefCell::default(),
            last_ready: Cell::default(),
            tries: Cell::default(),
        });
        reactor.handles.start(Rc::clone(&reactor))?;
        Ok(reactor)
    }

    /// Watches `fd` until it is closed or the source is removed.
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
    pub fn add(&self, fd: RawFd, turn: Turn, source: Rc<dyn Source>) -> io::Result<Key> {
        let key = self.register(turn, source);
        let registry = self.poll.borrow();
        let registered = registry.registry().register(&mut SourceFd(&fd), Token(key.0), Interest::READABLE);
        drop(registry);
        if let Err(error) = registered {
            self.remove(key);
            return Err(error);
        }
        Ok(key)
    }

    /// Re-arms the edge-triggered watch: calls the source again in the next iteration of the loop if its descriptor
    /// is readable then, or, with `or_writable`, writable.
    ///
    /// # Errors
    /// `ENOMEM` (`epoll_ctl(2)`).
    pub fn watch_again(&self, key: Key, fd: RawFd, or_writable: bool) -> io::Result<()> {
        self.poll.borrow().registry().reregister(&mut SourceFd(&fd), Token(key.0), interest(or_writable))
    }

    /// Runs a source's code in a handle scope. A panic does not affect other sources.
    fn enter<T>(&self, body: impl FnOnce() -> T) -> Option<T> {
        engine::contain(self.env, || engine::with_scope(&Env::from_raw(self.env), body)).flatten()
    }

    fn call(&self, env: &Env, key: Key) {
        if let Some((_, source)) = self.find(key) {
            self.enter(|| source.ready(env, false));
        }
    }

    fn register(&self, turn: Turn, source: Rc<dyn Source>) -> Key {
        self.uses.set(self.uses.get().wrapping_add(1));
        let mut sources = self.sources.borrow_mut();
        let entry = sources.vacant_entry();
        let key = Key::new(entry.key(), self.uses.get());
        entry.insert(Registered { key, turn, source });
        key
    }

    fn find(&self, key: Key) -> Option<(Turn, Rc<dyn Source>)> {
        let sources = self.sources.borrow();
        let registered = sources.get(key.place()).filter(|registered| registered.key == key)?;
        Some((registered.turn, Rc::clone(&registered.source)))
    }

    /// Calls [`Source::elapsed`] once, after `time` or a little later. This does not keep the loop alive.
    pub fn call_after(&self, key: Key, time: Duration) {
        self.deadlines.borrow_mut().push(Reverse((Instant::now() + time, key)));
        self.start_timer();
    }

    /// Starts the timer for the soonest deadline.
    fn start_timer(&self) {
        if let Some(Reverse((deadline, _))) = self.deadlines.borrow().peek() {
            self.handles.start_timer(deadline.saturating_duration_since(Instant::now()));
        }
    }

    /// Calls the sources whose timeouts have expired.
    fn call_elapsed(&self) {
        let env = Env::from_raw(self.env);
        let now = Instant::now();
        loop {
            let mut deadlines = self.deadlines.borrow_mut();
            let Some(Reverse((_, key))) =
                deadlines.peek().copied().filter(|Reverse((deadline, _))| *deadline <= now)
            else {
                break;
            };
            deadlines.pop();
            drop(deadlines);
            if let Some((_, source)) = self.find(key) {
                self.enter(|| source.elapsed(&env));
            }
        }
        self.start_timer();
    }

    /// Registers a source without a descriptor, to be called by [`Reactor::call_after`] and [`Reactor::call_late`].
    pub fn add_timed(&self, source: Rc<dyn Source>) -> Key {
        self.register(Turn::AfterIo, source)
    }

    /// Calls the source after the I/O of this iteration of the loop, or the next.
    pub fn call_late(&self, key: Key) {
        if let Some((_, source)) = self.find(key) {
            self.defer(key, source.waits_a_turn());
            // Keeps the loop from sleeping: there may be no I/O to wake it.
            self.handles.continue_deferred(true);
        }
    }

    /// Removes a source. Closing its descriptor removes that from the epoll set.
    pub fn remove(&self, key: Key) {
        let mut sources = self.sources.borrow_mut();
        let is_there = sources.get(key.place()).is_some_and(|registered| registered.key == key);
        let gone = is_there.then(|| sources.remove(key.place()));
        // Dropped after the borrow has ended: the source may own others.
        drop(sources);
        drop(gone);
    }

    /// Removes a source whose descriptor stays open, and takes the descriptor out of the epoll set.
    pub fn take_out(&self, key: Key, fd: RawFd) {
        // Fails only for a descriptor that is not in the set.
        let _ = self.poll.borrow().registry().deregister(&mut SourceFd(&fd));
        self.remove(key);
    }

    /// Registers a source that another thread wakes by calling the returned function.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn add_thread(
        &self,
        turn: Turn,
        source: Rc<dyn Source>,
    ) -> io::Result<(Key, impl FnOnce() + Send + 'static)> {
        let threads = match &mut *self.waker.borrow_mut() {
            Some(threads) => Arc::clone(threads),
            empty => {
                let waker = Waker::new(self.poll.borrow().registry(), WAKER)?;
                Arc::clone(empty.insert(Arc::new(Threads { waker, done: Mutex::default() })))
            }
        };
        let key = self.register(turn, source);
        let wake = move || {
            threads.done.lock().unwrap_or_else(PoisonError::into_inner).push(key);
            // Fails only if the reactor is gone; then nobody is waiting.
            let _ = threads.waker.wake();
        };
        Ok((key, wake))
    }

    /// Keeps the loop alive until [`Reactor::release`] is called as often.
    pub fn retain(&self) {
        self.references.set(self.references.get() + 1);
        if self.references.get() == 1 {
            self.handles.reference();
        }
    }

    /// Undoes one [`Reactor::retain`].
    pub fn release(&self) {
        self.references.set(self.references.get().saturating_sub(1));
        if self.references.get() == 0 {
            self.handles.unreference();
        }
    }

    /// Retains or releases on behalf of an owner, whose current state is in `retained`.
    pub fn set_retained(&self, retained: &Cell<bool>, wanted: bool) {
        if wanted != retained.replace(wanted) {
            if wanted { self.retain() } else { self.release() }
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
            let mut ready = vec![];
            {
                let mut events = self.events.borrow_mut();
                if self.poll.borrow_mut().poll(&mut events, Some(Duration::ZERO)).is_err() {
                    return;
                }
                for event in events.iter() {
                    match event.token() {
                        WAKER => self.take_woken(&mut ready),
                        Token(key) => ready.push((Key(key), event.is_read_closed())),
                    }
                }
            }
            for (key, is_over) in &ready {
                match self.find(*key) {
                    Some((Turn::WithIo, source)) => {
                        self.enter(|| source.ready(&env, *is_over));
                    }
                    Some((Turn::AfterIo, source)) => self.defer(*key, source.waits_a_turn()),
                    None => {}
                }
            }
            count += ready.len();
            if ready.len() < BATCH || begun.elapsed() > ITERATION_LIMIT {
                self.last_ready.set(if let ([(key, _)], 1) = (&ready[..], count) {
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
        let last = self.last_ready.get().and_then(|key| self.find(key));
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
            self.call(&env, key);
            let left = self.deferred.borrow().len();
            if left > 0 && left <= MAX_DEFERRED && begun.elapsed() > DEFERRED_LIMIT {
                break;
            }
        }
        let mut deferred = self.deferred.borrow_mut();
        deferred.extend(self.deferred_longer.borrow_mut().drain(..));
        !deferred.is_empty()
    }

    fn take_woken(&self, ready: &mut Vec<(Key, bool)>) {
        if let Some(threads) = &*self.waker.borrow() {
            let mut done = threads.done.lock().unwrap_or_else(PoisonError::into_inner);
            ready.extend(done.drain(..).map(|key| (key, false)));
        }
    }

    fn shut_down(&self) {
        let sources: Vec<_> = self.sources.borrow_mut().drain().collect();
        for registered in sources {
            engine::contain(self.env, || registered.source.shut_down());
        }
    }
}
