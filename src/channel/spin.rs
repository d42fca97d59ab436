//! Adaptive busy polling: decides whether to poll the socket for a moment before returning to the event loop.
//!
//! Most of a round trip's time is spent waking processes up. An end that has answered a message, and whose last
//! answers were themselves answered quickly, polls the socket for some microseconds instead of sleeping, as a mutex
//! spins before it sleeps. When polling finds nothing, it pauses for longer and longer.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Determined once, because it takes a dozen system calls to read the control groups' files.
static HAS_SEVERAL_PROCESSORS: LazyLock<bool> =
    LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1));

/// An answer is quick if it comes within this many times the polling time. The factor allows for the wake-up, which
/// polling would save.
const QUICK: u32 = 6;
/// After this many quick answers in a row an end starts to poll.
const ENOUGH: u32 = 3;
/// The longest pause after polling in vain, counted in answers.
const LONGEST_PAUSE: u32 = 1 << 12;

/// The polling state of one end of a channel.
#[derive(Debug)]
pub struct Spin {
    /// How long to poll at most.
    limit: Duration,
    /// When this end last answered a message.
    answered: Option<Instant>,
    /// How many quick answers have come in a row.
    quick: u32,
    /// How many answers to let pass before polling again, and how many it was the last time.
    pause: u32,
    last_pause: u32,
}

impl Spin {
    /// Polls for at most `limit`; zero disables polling. So does a single processor, on which the other end could not
    /// run meanwhile.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        let limit = if *HAS_SEVERAL_PROCESSORS { limit } else { Duration::ZERO };
        Self { limit, answered: None, quick: 0, pause: 0, last_pause: 0 }
    }

    /// Whether polling is enabled.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.limit.is_zero()
    }

    /// Messages have come without polling: notes whether they were a quick answer to this end's last message.
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

    /// This end has answered what came. Returns how long to poll for the next message; `None`: do not poll.
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

    /// Polling has found a message.
    pub fn found(&mut self) {
        self.answered = None;
        self.last_pause = 0;
    }

    /// Polling has found nothing.
    pub fn missed(&mut self) {
        self.last_pause = (self.last_pause * 2).clamp(1, LONGEST_PAUSE);
        self.pause = self.last_pause;
    }
}
