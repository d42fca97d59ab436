//! Signal names and numbers, as `os.constants.signals` has them.

use napi::{JsValue, Result, Unknown, ValueType};
use nix::sys::signal::Signal;

use super::{Context, is_nullish, kind, text};

/// Alternative names, with the signal that they mean.
const ALIASES: [(&str, Signal); 2] = [("SIGIOT", Signal::SIGABRT), ("SIGPOLL", Signal::SIGIO)];

/// The name of a signal; `None` for real-time signals, which have none in Node.
#[must_use]
pub fn name(number: i32) -> Option<&'static str> {
    Signal::try_from(number).ok().map(Signal::as_str)
}

fn number(name: &str) -> Option<i32> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, signal)| *signal);
    alias.or_else(|| name.parse().ok()).map(|signal| signal as i32)
}

/// The number of a signal, from a name in upper or lower case, or from a number that has a name.
///
/// # Errors
/// `ERR_UNKNOWN_SIGNAL`.
pub fn from_value(context: &Context, value: &Unknown) -> Result<i32> {
    let found = match kind(value)? {
        ValueType::String => number(&text(value)?.to_uppercase()),
        ValueType::Number => {
            let given = value.coerce_to_number()?.get_double()?;
            Some(given as i32).filter(|number| f64::from(*number) == given && name(*number).is_some())
        }
        _ => None,
    };
    found.ok_or_else(|| context.unknown_signal(value))
}

/// `options.killSignal`; `None` if it is null or undefined.
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
mod tests;
