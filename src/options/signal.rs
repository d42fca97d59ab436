//! Signal names and numbers, as `os.constants.signals` has them.

use napi::{JsValue, Result, Unknown, ValueType};

use super::{Context, is_nullish, kind, text};
use crate::sys;

/// The names that every platform has; the first name of a number is the one reported.
const COMMON: &[(&str, i32)] = &[
    ("SIGHUP", libc::SIGHUP),
    ("SIGINT", libc::SIGINT),
    ("SIGQUIT", libc::SIGQUIT),
    ("SIGILL", libc::SIGILL),
    ("SIGTRAP", libc::SIGTRAP),
    ("SIGABRT", libc::SIGABRT),
    ("SIGIOT", libc::SIGIOT),
    ("SIGBUS", libc::SIGBUS),
    ("SIGFPE", libc::SIGFPE),
    ("SIGKILL", libc::SIGKILL),
    ("SIGUSR1", libc::SIGUSR1),
    ("SIGSEGV", libc::SIGSEGV),
    ("SIGUSR2", libc::SIGUSR2),
    ("SIGPIPE", libc::SIGPIPE),
    ("SIGALRM", libc::SIGALRM),
    ("SIGTERM", libc::SIGTERM),
    ("SIGCHLD", libc::SIGCHLD),
    ("SIGCONT", libc::SIGCONT),
    ("SIGSTOP", libc::SIGSTOP),
    ("SIGTSTP", libc::SIGTSTP),
    ("SIGTTIN", libc::SIGTTIN),
    ("SIGTTOU", libc::SIGTTOU),
    ("SIGURG", libc::SIGURG),
    ("SIGXCPU", libc::SIGXCPU),
    ("SIGXFSZ", libc::SIGXFSZ),
    ("SIGVTALRM", libc::SIGVTALRM),
    ("SIGPROF", libc::SIGPROF),
    ("SIGWINCH", libc::SIGWINCH),
    ("SIGIO", libc::SIGIO),
    ("SIGSYS", libc::SIGSYS),
];

/// Every name of this platform, with its number.
fn signals() -> impl Iterator<Item = (&'static str, i32)> {
    COMMON.iter().chain(sys::SIGNALS).copied()
}

/// The name of a signal; `None` for one that has none (the real-time signals).
#[must_use]
pub fn name(number: i32) -> Option<&'static str> {
    signals().find(|(_, known)| *known == number).map(|(name, _)| name)
}

fn number(name: &str) -> Option<i32> {
    signals().find(|(known, _)| *known == name).map(|(_, number)| number)
}

/// The number of the signal that `value` names; names in any case, numbers that have a name.
///
/// # Errors
/// `ERR_UNKNOWN_SIGNAL`.
pub fn from_value(context: &Context, value: &Unknown) -> Result<i32> {
    let found = match kind(value)? {
        ValueType::String => number(&text(value)?.to_uppercase()),
        ValueType::Number => {
            let given = value.coerce_to_number()?.get_double()?;
            signals().map(|(_, number)| number).find(|number| f64::from(*number) == given)
        }
        _ => None,
    };
    found.ok_or_else(|| context.unknown_signal(value))
}

/// `options.killSignal`; `None` where it isn't given.
///
/// # Errors
/// `ERR_UNKNOWN_SIGNAL`, `ERR_INVALID_ARG_TYPE`.
pub fn from_option(context: &Context, value: &Unknown) -> Result<Option<i32>> {
    match kind(value)? {
        ValueType::String | ValueType::Number => from_value(context, value).map(Some),
        _ if is_nullish(value)? => Ok(None),
        _ => Err(context.invalid_type("options.killSignal", "one of type string or number", value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_usual_names() {
        assert_eq!(name(libc::SIGTERM), Some("SIGTERM"));
        assert_eq!(name(libc::SIGABRT), Some("SIGABRT"));
        assert_eq!(name(libc::SIGIO), Some("SIGIO"));
        assert_eq!(name(0), None);
        assert_eq!(name(64), None);
    }

    #[test]
    fn aliases_name_the_same_number() {
        assert_eq!(number("SIGIOT"), number("SIGABRT"));
        assert_eq!(number("SIGNOPE"), None);
    }
}
