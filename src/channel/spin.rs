//! Adaptive busy polling: whether to keep looking at the socket for a moment before going back to the loop.
//!
//! A round trip between two processes is mostly waking up. An end that has answered a message, and has seen the answers to
//! its answers come at once, may look again for some microseconds instead, as a mutex spins before it sleeps. Where answers
//! do not come that quickly, looking for them is given up for longer and longer.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Asked once: that takes a dozen system calls, for the files of control groups.
static HAS_SEVERAL_PROCESSORS: LazyLock<bool> =
    LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1));

/// An answer within this many times the time to look counts as a quick one: it includes the waking up that looking saves.
const QUICK: u32 = 6;
/// So many quick answers in a row make looking worthwhile.
const ENOUGH: u32 = 3;
/// The longest pause after vain looking, answers.
const LONGEST_PAUSE: u32 = 1 << 12;

/// The habits of one end of a channel.
#[derive(Debug)]
pub struct Spin {
    /// How long to look.
    limit: Duration,
    /// When this end last answered a message.
    answered: Option<Instant>,
    /// Quick answers in a row.
    quick: u32,
    /// Answers to let pass before looking again, and how many that was the last time.
    pause: u32,
    last_pause: u32,
}

impl Spin {
    /// Looks for `limit` at most; zero never looks. With a single processor the other end could not answer meanwhile.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        let limit = if *HAS_SEVERAL_PROCESSORS { limit } else { Duration::ZERO };
        Self { limit, answered: None, quick: 0, pause: 0, last_pause: 0 }
    }

    /// Whether it ever looks.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.limit.is_zero()
    }

    /// Messages have come from the loop: were they a quick answer to this end's?
    pub fn arrived(&mut self, now: Instant) {
        let Some(answered) = self.answered.take() else {
            self.quick = 0;
            return;
        };
        if now.duration_since(answered) < self.limit * QUICK {
            self.quick = self.quick.saturating_add(1);
        } else {
            self.quick = 0;
        }
    }

    /// This end has answered what came. Gives how long to look for the next message, if it is worthwhile.
    pub fn answer(&mut self, now: Instant) -> Option<Duration> {
        self.answered = Some(now);
        if self.quick < ENOUGH {
            return None;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        Some(self.limit)
    }

    /// Looking has paid.
    pub fn found(&mut self) {
        self.answered = None;
        self.last_pause = 0;
    }

    /// Looking was in vain.
    pub fn missed(&mut self) {
        self.last_pause = (self.last_pause * 2).clamp(1, LONGEST_PAUSE);
        self.pause = self.last_pause;
    }
}
