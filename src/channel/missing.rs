//! What has been announced and could not be received: a handle for whose descriptor this process had no room, or a
//! message in shared memory that could not be mapped. The sender sends it again, and later messages are held back
//! until then.

use super::handles;
use super::shared;

/// As much as a native end can have in flight at once.
const MAX_MISSING: usize = handles::MAX_IN_FLIGHT as usize + shared::MAX_SLOTS;

/// Something that was announced and not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The handle of this number.
    Handle(u32),
    /// The message in this slot.
    Slot(u32),
}

impl Missing {
    /// A number that identifies it to JavaScript.
    #[must_use]
    pub fn key(self) -> f64 {
        match self {
            Self::Handle(number) => f64::from(number),
            Self::Slot(slot) => -1.0 - f64::from(slot),
        }
    }
}

/// More is missing than can be in flight: the other end violates the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// Everything that one end is missing.
#[derive(Debug, Default)]
pub struct Gaps {
    missing: Vec<Missing>,
    /// The other end has announced that its next message is this one, sent again.
    resent: Option<Missing>,
}

impl Gaps {
    /// Records that something is missing. Returns whether that is new.
    ///
    /// # Errors
    /// More is missing than can be in flight.
    pub fn note(&mut self, missing: Missing) -> Result<bool, TooMany> {
        if self.missing.contains(&missing) {
            return Ok(false);
        }
        if self.missing.len() == MAX_MISSING {
            return Err(TooMany);
        }
        self.missing.push(missing);
        Ok(true)
    }

    /// The next message is `missing`, sent again.
    pub fn expect_resent(&mut self, missing: Missing) {
        self.resent = Some(missing);
    }

    /// Whether the next message is one that is sent again.
    #[must_use]
    pub fn expects_resent(&self) -> bool {
        self.resent.is_some()
    }

    /// If the current message was announced as sent again, takes what it is.
    pub fn take_resent(&mut self) -> Option<Missing> {
        self.resent.take()
    }

    /// It has been received, or the sender has given it up. Returns whether it was missing.
    pub fn fill(&mut self, missing: Missing) -> bool {
        let before = self.missing.len();
        self.missing.retain(|other| *other != missing);
        self.missing.len() < before
    }
}
