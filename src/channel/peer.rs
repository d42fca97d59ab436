//! What kind of end is at the other side of a channel.

/// What is known of the other end.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// It uses the builtin's protocol only.
    #[default]
    Builtin,
    /// It is expected to introduce itself as a native end, with this secret. Until it does, it may also be the
    /// builtin's.
    Announced { secret: String },
    /// It is a native end and also understands [`Word`](super::word::Word)s.
    Native,
}

/// The other end has introduced itself with a wrong secret, or unexpectedly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSecret;

impl Peer {
    #[must_use]
    pub fn is_native(&self) -> bool {
        *self == Self::Native
    }

    /// Whether a received message may be a [`Word`](super::word::Word).
    #[must_use]
    pub fn may_be_native(&self) -> bool {
        *self != Self::Builtin
    }

    /// The other end has introduced itself with `secret`.
    ///
    /// # Errors
    /// That is not the expected secret, or no introduction was expected.
    pub fn introduced(&mut self, secret: &str) -> Result<(), WrongSecret> {
        let is_expected = matches!(self, Self::Announced { secret: expected } if expected == secret);
        *self = if is_expected { Self::Native } else { Self::Builtin };
        is_expected.then_some(()).ok_or(WrongSecret)
    }
}
