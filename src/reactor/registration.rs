//! What a set waits for on behalf of one owner.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use super::set::{Key, Set};

/// An entry of a set, with the file descriptor that it waits for, if any. Dropping this removes the entry and closes
/// the descriptor.
pub struct Registration<T, F = ()> {
    entry: Entry<T>,
    fd: F,
}

struct Entry<T> {
    set: Rc<Set<T>>,
    key: Key,
}

impl<T> Drop for Entry<T> {
    fn drop(&mut self) {
        drop(self.set.remove(self.key));
    }
}

impl<T, F> Registration<T, F> {
    pub(super) fn new(set: &Rc<Set<T>>, key: Key, fd: F) -> Self {
        Self { entry: Entry { set: Rc::clone(set), key }, fd }
    }

    pub(super) fn key(&self) -> Key {
        self.entry.key
    }

    /// The same registration, with another type of descriptor.
    pub fn map<G>(self, change: impl FnOnce(F) -> G) -> Registration<T, G> {
        Registration { entry: self.entry, fd: change(self.fd) }
    }
}

impl<T, F: AsFd> Registration<T, F> {
    /// Has the entry reported again if its descriptor is readable, or where `or_writable` writable, now or later.
    ///
    /// # Errors
    /// `ENOMEM` (`epoll_ctl(2)`).
    pub fn reregister(&self, or_writable: bool) -> io::Result<()> {
        self.entry.set.reregister(self.entry.key, self.fd.as_fd(), or_writable)
    }

    /// Removes the entry, and gives back its descriptor.
    pub fn deregister(self) -> F {
        self.entry.set.deregister(self.fd.as_fd());
        self.fd
    }
}

impl<T, F: AsFd> AsFd for Registration<T, F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
