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

pub use callback::{Callback, tell};
pub use keep_alive::{KeepAlive, Retain, Work};
use uv::Handles;
pub use uv::is_main;

use crate::engine;

/// Something that waits for a descriptor, or for a thread, on the loop.
pub trait Source {
    /// The descriptor may be ready. Called again, or for nothing, now and then: look before acting. `is_over`: nothing more
    /// will come than is there now.
    fn ready(&self, env: &Env, is_over: bool);
    /// Whether what comes after the I/O waits for that of the next turn of the loop, too.
    fn waits_a_turn(&self) -> bool {
        false
    }
    /// Acts if the descriptor is ready, and says whether it was.
    fn look(&self, _env: &Env) -> bool {
        false
    }
    /// The time that [`Reactor::call_after`] was given is over.
    fn elapsed(&self, _env: &Env) {}
    /// The environment is going away: let go of everything that belongs to it.
    fn shut_down(&self);
}

/// When in a turn of the loop a source is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Among the rest of the I/O.
    WithIo,
    /// After it: what a process wrote before its end is read before the end is told, as with libuv's own processes.
    AfterIo,
}

/// Names a registered source, and never another: the place of a source that is gone is used again, under another use
/// number, so that a late event for the old one does not reach the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(usize);

impl Key {
    const PLACE_BITS: u32 = usize::BITS / 2;

    fn new(place: usize, use_number: usize) -> Self {
        Self(place | use_number << Self::PLACE_BITS)
    }

    fn place(self) -> usize {
        self.0 & ((1 << Self::PLACE_BITS) - 1)
    }
}

struct Registered {
    key: Key,
    turn: Turn,
    source: Rc<dyn Source>,
}

/// Events taken from the kernel at once, and for how long in one turn of the loop: each may run much of a program, and
/// timers and other I/O are to come in between.
const BATCH: usize = 16;
const TURN: Duration = Duration::from_millis(1);
/// For so long the ends of processes are told in one turn of the loop, unless so many would be left.
const LATE_TURN: Duration = Duration::from_micros(250);
const MOST_LATE: usize = 64;
/// So often the set is not asked first.
const IN_A_ROW: u32 = 8;
const WAKER: Token = Token(usize::MAX);

/// The set, its sources, and the handle that watches it.
pub struct Reactor {
    env: napi_sys::napi_env,
    poll: RefCell<Poll>,
    events: RefCell<Events>,
    sources: RefCell<Slab<Registered>>,
    /// How many sources there have been.
    uses: Cell<usize>,
    handles: Handles,
    /// The sources that were put off: to this turn of the loop, and to the next.
    late: RefCell<VecDeque<Key>>,
    later: RefCell<Vec<Key>>,
    /// When which sources are to be called, the soonest on top.
    deadlines: RefCell<BinaryHeap<Reverse<(Instant, Key)>>>,
    references: Cell<usize>,
    waker: RefCell<Option<Arc<Threads>>>,
    /// The source that was the only one ready the last time, and how often it has been asked since without asking the set.
    lone: Cell<Option<Key>>,
    asked: Cell<u32>,
}

/// What threads leave for the loop.
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
    /// `EMFILE`; `ENOSYS` where the program has no libuv.
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
            late: RefCell::default(),
            later: RefCell::default(),
            deadlines: RefCell::default(),
            references: Cell::new(0),
            waker: RefCell::default(),
            lone: Cell::default(),
            asked: Cell::default(),
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

    /// Has the source called again in the next turn of the loop if its descriptor is readable then, or `or_writable`.
    ///
    /// # Errors
    /// `ENOMEM` (`epoll_ctl(2)`).
    pub fn watch_again(&self, key: Key, fd: RawFd, or_writable: bool) -> io::Result<()> {
        self.poll.borrow().registry().reregister(&mut SourceFd(&fd), Token(key.0), interest(or_writable))
    }

    /// Runs a source's code. A panic of one leaves the others alone.
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

    /// Has [`Source::elapsed`] called once, in `time` or a little later; that does not keep the loop alive.
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

    /// Calls the sources whose time is over.
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

    /// Has the source called after the I/O of this turn of the loop, or the next.
    pub fn call_late(&self, key: Key) {
        if let Some((_, source)) = self.find(key) {
            self.put_off(key, source.waits_a_turn());
            // There may be no I/O to wake the loop.
            self.handles.call_late_again(true);
        }
    }

    /// Forgets a source. Its descriptor leaves the set when it is closed.
    pub fn remove(&self, key: Key) {
        let mut sources = self.sources.borrow_mut();
        let is_there = sources.get(key.place()).is_some_and(|registered| registered.key == key);
        let gone = is_there.then(|| sources.remove(key.place()));
        // Dropped after the borrow ends: a source may own others.
        drop(sources);
        drop(gone);
    }

    /// Forgets a source and takes its descriptor, which stays open, out of the set.
    pub fn take_out(&self, key: Key, fd: RawFd) {
        // It fails only for a descriptor that isn't in the set.
        let _ = self.poll.borrow().registry().deregister(&mut SourceFd(&fd));
        self.remove(key);
    }

    /// Registers a source that a thread will wake by calling what this returns.
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
            // Fails only when the reactor is gone, and then nobody waits.
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
                    Some((Turn::AfterIo, source)) => self.put_off(*key, source.waits_a_turn()),
                    None => {}
                }
            }
            count += ready.len();
            if ready.len() < BATCH || begun.elapsed() > TURN {
                self.lone.set(if let ([(key, _)], 1) = (&ready[..], count) { Some(*key) } else { None });
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
        let lone = self.lone.get().and_then(|key| self.find(key));
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
            self.call(&env, key);
            let left = self.late.borrow().len();
            if left > 0 && left <= MOST_LATE && begun.elapsed() > LATE_TURN {
                break;
            }
        }
        let mut late = self.late.borrow_mut();
        late.extend(self.later.borrow_mut().drain(..));
        !late.is_empty()
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
