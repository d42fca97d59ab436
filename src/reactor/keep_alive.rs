//! What keeps the event loop alive.

use std::cell::Cell;
use std::rc::Rc;

/// A loop that lives as long as it is retained.
pub trait Retain {
    /// Keeps it alive until `release` is called as often.
    fn retain(&self);
    fn release(&self);
}

/// What there is for the loop to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Work {
    /// Something may happen: the loop waits for it where it is referenced.
    #[default]
    Possible,
    /// The loop waits for it.
    Pending,
    /// Nothing will happen any more.
    Over,
}

/// One reason for the loop to wait, which JavaScript refers to by `ref()` and `unref()`.
pub struct KeepAlive<L: Retain> {
    event_loop: Rc<L>,
    is_referenced: Cell<bool>,
    work: Cell<Work>,
}

impl<L: Retain> KeepAlive<L> {
    /// Nobody refers to it.
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

    /// Whether JavaScript wants the loop to wait for it, and something may happen.
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
