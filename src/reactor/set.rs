//! The set of what is waited for: file descriptors (an epoll set, by mio), threads, and deadlines. It knows neither
//! libuv nor JavaScript.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::registration::Registration;

/// The most events that one [`Set::poll`] takes.
pub(super) const BATCH: usize = 16;
/// Fewer deadlines than this are never searched for those of removed entries.
const FEW: usize = 64;
const WAKER: Token = Token(usize::MAX);

/// Identifies an entry. The slab place of a removed entry is reused, but with another use number, so that a late event
/// for the old entry does not reach the new one.
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

/// An entry that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub key: Key,
    /// Nothing more will come than is there now.
    pub is_over: bool,
}

pub(super) struct Set<T> {
    poll: RefCell<Poll>,
    events: RefCell<Events>,
    entries: RefCell<Slab<(Key, T)>>,
    /// How many entries there have been.
    uses: Cell<usize>,
    /// When which entries are due, the soonest on top.
    deadlines: RefCell<BinaryHeap<Reverse<(Instant, Key)>>>,
    threads: RefCell<Option<Arc<Threads>>>,
}

/// What threads leave for the set.
struct Threads {
    waker: Waker,
    done: Mutex<Vec<Key>>,
}

impl<T: Clone> Set<T> {
    /// An empty set.
    ///
    /// # Errors
    /// `EMFILE` (`epoll_create1(2)`).
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: RefCell::new(Poll::new()?),
            events: RefCell::new(Events::with_capacity(BATCH)),
            entries: RefCell::default(),
            uses: Cell::default(),
            deadlines: RefCell::default(),
            threads: RefCell::default(),
        })
    }

    fn add(&self, value: T) -> Key {
        self.uses.set(self.uses.get().wrapping_add(1));
        let mut entries = self.entries.borrow_mut();
        let entry = entries.vacant_entry();
        let key = Key::new(entry.key(), self.uses.get());
        entry.insert((key, value));
        key
    }

    /// Adds an entry that waits for no file descriptor.
    pub fn insert(self: &Rc<Self>, value: T) -> Registration<T> {
        Registration::new(self, self.add(value), ())
    }

    /// Adds an entry that waits until `fd` is readable.
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`), with the descriptor.
    pub fn register<F: AsFd>(self: &Rc<Self>, fd: F, value: T) -> Result<Registration<T, F>, (io::Error, F)> {
        let registration = Registration::new(self, self.add(value), fd);
        let added = {
            let fd = registration.as_fd().as_raw_fd();
            let token = Token(registration.key().0);
            self.poll.borrow().registry().register(&mut SourceFd(&fd), token, Interest::READABLE)
        };
        match added {
            Ok(()) => Ok(registration),
            Err(error) => Err((error, registration.deregister())),
        }
    }

    /// Removes all entries.
    pub fn drain(&self) -> Vec<T> {
        self.entries.borrow_mut().drain().map(|(_, value)| value).collect()
    }

    pub fn get(&self, key: Key) -> Option<T> {
        let entries = self.entries.borrow();
        entries.get(key.place()).filter(|(known, _)| *known == key).map(|(_, value)| value.clone())
    }

    /// What is ready now, without waiting: at most [`BATCH`] file descriptors, and what threads have reported.
    ///
    /// # Errors
    /// `EINTR` (`epoll_wait(2)`).
    pub fn poll(&self) -> io::Result<Vec<Ready>> {
        let mut events = self.events.borrow_mut();
        self.poll.borrow_mut().poll(&mut events, Some(Duration::ZERO))?;
        let mut ready = vec![];
        for event in events.iter() {
            match event.token() {
                WAKER => self.take_reported(&mut ready),
                Token(key) => ready.push(Ready { key: Key(key), is_over: event.is_read_closed() }),
            }
        }
        Ok(ready)
    }

    fn take_reported(&self, ready: &mut Vec<Ready>) {
        if let Some(threads) = &*self.threads.borrow() {
            let mut done = threads.done.lock().unwrap_or_else(PoisonError::into_inner);
            ready.extend(done.drain(..).map(|key| Ready { key, is_over: false }));
        }
    }

    /// Adds an entry that a thread reports as ready, by calling the function that this returns.
    ///
    /// # Errors
    /// `EMFILE` (`eventfd(2)`).
    pub fn register_thread(
        self: &Rc<Self>,
        value: T,
    ) -> io::Result<(Registration<T>, impl FnOnce() + Send + 'static)> {
        let threads = match &mut *self.threads.borrow_mut() {
            Some(threads) => Arc::clone(threads),
            empty => {
                let waker = Waker::new(self.poll.borrow().registry(), WAKER)?;
                Arc::clone(empty.insert(Arc::new(Threads { waker, done: Mutex::default() })))
            }
        };
        let registration = self.insert(value);
        let key = registration.key();
        let report = move || {
            threads.done.lock().unwrap_or_else(PoisonError::into_inner).push(key);
            // It fails only where the set is gone.
            let _ = threads.waker.wake();
        };
        Ok((registration, report))
    }

    /// Makes an entry due after `time`.
    pub fn set_deadline(&self, key: Key, time: Duration) {
        let mut deadlines = self.deadlines.borrow_mut();
        deadlines.push(Reverse((Instant::now() + time, key)));
        if deadlines.len() > 2 * self.entries.borrow().len() + FEW {
            // Most are of entries that are gone.
            deadlines.retain(|Reverse((_, key))| self.get(*key).is_some());
        }
    }

    /// How long it is until the next entry is due.
    pub fn until_deadline(&self) -> Option<Duration> {
        let Reverse((deadline, _)) = *self.deadlines.borrow().peek()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// An entry that was due at `now`.
    pub fn take_due(&self, now: Instant) -> Option<Key> {
        let mut deadlines = self.deadlines.borrow_mut();
        deadlines.peek().filter(|Reverse((deadline, _))| *deadline <= now)?;
        deadlines.pop().map(|Reverse((_, key))| key)
    }
}

/// For [`Registration`].
impl<T> Set<T> {
    pub(super) fn reregister(&self, key: Key, fd: BorrowedFd, or_writable: bool) -> io::Result<()> {
        let interest = if or_writable { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        self.poll.borrow().registry().reregister(&mut SourceFd(&fd.as_raw_fd()), Token(key.0), interest)
    }

    pub(super) fn deregister(&self, fd: BorrowedFd) {
        // It fails only for one that isn't in the set.
        let _ = self.poll.borrow().registry().deregister(&mut SourceFd(&fd.as_raw_fd()));
    }

    /// Removes an entry. Its file descriptor leaves the set when it is closed.
    pub(super) fn remove(&self, key: Key) -> Option<T> {
        let mut entries = self.entries.borrow_mut();
        let is_there = entries.get(key.place()).is_some_and(|(known, _)| *known == key);
        is_there.then(|| entries.remove(key.place()).1)
    }
}

impl<T> AsRawFd for Set<T> {
    /// The epoll set itself: readable where [`Set::poll`] would find something.
    fn as_raw_fd(&self) -> RawFd {
        self.poll.borrow().as_raw_fd()
    }
}

#[cfg(test)]
mod tests;
