//! What has been announced and has not come: a handle whose descriptor the kernel could not give to this process, or a message
//! in shared memory that could not be mapped. It is sent again, and what comes after it waits.

use super::handles;
use super::shared;

/// As much as two native ends have under way at once.
const MOST: usize = handles::MOST as usize + shared::MOST_SLOTS;

/// Something that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The handle of this number.
    Handle(u32),
    /// The message in this slot.
    Slot(u32),
}

impl Missing {
    /// A number that nothing else that is missing has.
    #[must_use]
    pub fn key(self) -> f64 {
        match self {
            Self::Handle(number) => f64::from(number),
            Self::Slot(slot) => -1.0 - f64::from(slot),
        }
    }
}

/// More is missing than can be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// What one end misses.
#[derive(Debug, Default)]
pub struct Gaps {
    missing: Vec<Missing>,
    /// What the next message is, where it comes again.
    again: Option<Missing>,
}

impl Gaps {
    /// Something is missing. Says whether that is new.
    ///
    /// # Errors
    /// So much cannot be missing.
    pub fn note(&mut self, missing: Missing) -> Result<bool, TooMany> {
        if self.missing.contains(&missing) {
            return Ok(false);
        }
        if self.missing.len() == MOST {
            return Err(TooMany);
        }
        self.missing.push(missing);
        Ok(true)
    }

    /// The next message is one that was missing.
    pub fn comes_again(&mut self, missing: Missing) {
        self.again = Some(missing);
    }

    /// Whether the next message is one that was missing.
    #[must_use]
    pub fn expects_again(&self) -> bool {
        self.again.is_some()
    }

    /// Which one the message is that has come now.
    pub fn take_again(&mut self) -> Option<Missing> {
        self.again.take()
    }

    /// It has come, or will not come any more. Says whether it was missing.
    pub fn fill(&mut self, missing: Missing) -> bool {
        let before = self.missing.len();
        self.missing.retain(|other| *other != missing);
        self.missing.len() < before
    }
}
