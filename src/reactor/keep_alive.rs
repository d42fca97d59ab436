//! Keeps the event loop alive on behalf of a process or a channel.

use std::cell::Cell;
use std::rc::Rc;

/// An event loop that stays alive as long as it is retained.
pub trait Retain {
    /// Keeps it alive until `release` is called as often.
    fn retain(&self);
    fn release(&self);
}

/// Whether there is work for the event loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Work {
    /// An event may come: the loop stays alive for it if it is referenced.
    #[default]
    Possible,
    /// Work is pending: the loop stays alive in any case.
    Pending,
    /// No event will come any more.
    Over,
}

/// Whether one process or channel keeps the event loop alive; JavaScript controls this with `ref()` and `unref()`.
pub struct KeepAlive<L: Retain> {
    event_loop: Rc<L>,
    is_referenced: Cell<bool>,
    work: Cell<Work>,
}

impl<L: Retain> KeepAlive<L> {
    /// Starts unreferenced.
    pub fn new(event_loop: Rc<L>) -> Self {
        Self { event_loop, is_referenced: Cell::default(), work: Cell::default() }
    }

    fn holds(&self) -> bool {
        match self.work.get() {
            Work::Possible => self.is_referenced.get(),
            Work::Pending => true,
            Work::Over => false,
        }
    }

    fn change(&self, change: impl FnOnce()) {
        let before = self.holds();
        change();
        match (before, self.holds()) {
            (false, true) => self.event_loop.retain(),
            (true, false) => self.event_loop.release(),
            _ => {}
        }
    }

    pub fn set_referenced(&self, is_referenced: bool) {
        self.change(|| self.is_referenced.set(is_referenced));
    }

    pub fn set_work(&self, work: Work) {
        self.change(|| self.work.set(work));
    }

    /// Whether it is referenced and an event may still come.
    #[must_use]
    pub fn is_referenced(&self) -> bool {
        self.work.get() != Work::Over && self.is_referenced.get()
    }
}

impl<L: Retain> Drop for KeepAlive<L> {
    fn drop(&mut self) {
        self.set_work(Work::Over);
    }
}

#[cfg(test)]
mod tests;
