//! Who is at the other end of a channel.

/// What is known of the other end.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// It speaks the builtin's protocol.
    #[default]
    Builtin,
    /// It is to be a native one, which introduces itself with this secret; until then it may be the builtin's.
    Announced { secret: String },
    /// It also speaks the words of native ends.
    Native,
}

/// It has introduced itself with another secret than the one that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSecret;

impl Peer {
    #[must_use]
    pub fn is_native(&self) -> bool {
        *self == Self::Native
    }

    /// Whether what comes may be a word of native ends.
    #[must_use]
    pub fn may_be_native(&self) -> bool {
        *self != Self::Builtin
    }

    /// It has introduced itself.
    ///
    /// # Errors
    /// It was not announced with this secret.
    pub fn introduced(&mut self, secret: &str) -> Result<(), WrongSecret> {
        let is_expected = matches!(self, Self::Announced { secret: expected } if expected == secret);
        *self = if is_expected { Self::Native } else { Self::Builtin };
        is_expected.then_some(()).ok_or(WrongSecret)
    }
}
