//! Whether to let what comes gather for a moment before it is read.
//!
//! The builtin writes each message alone. An end that reads at once is woken again and again while it reads a stream of them, and the
//! writer pays for waking it; one that rests in between reads many at once, as a network card gathers packets for one
//! interrupt.

use std::time::{Duration, Instant};

/// What comes is looked at for so long.
const WINDOW: Duration = Duration::from_micros(500);
/// So many messages in that time, of so many bytes on average, make resting worthwhile. Larger ones would fill the socket meanwhile.
const MANY: usize = 50;
const SMALL: usize = 1024;

/// The habits of the other end.
#[derive(Debug, Default)]
pub struct Lull {
    /// Since when it is looked at, and what has come since then.
    since: Option<Instant>,
    messages: usize,
    bytes: usize,
    is_stream: bool,
}

impl Lull {
    /// So many messages of so many bytes have been read since `now`, and are all that there was. Says whether to rest now.
    pub fn read(&mut self, now: Instant, messages: usize, bytes: usize) -> bool {
        if messages == 0 {
            *self = Self::default();
            return false;
        }
        self.messages += messages;
        self.bytes += bytes;
        let since = *self.since.get_or_insert(now);
        let time = now.duration_since(since);
        if time >= WINDOW {
            let is_small = self.bytes <= self.messages * SMALL;
            self.is_stream = time < WINDOW * 2 && self.messages >= MANY && is_small;
            (self.since, self.messages, self.bytes) = (Some(now), 0, 0);
        }
        self.is_stream
    }
}
