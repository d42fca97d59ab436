//! Validation of single values, with Node's codes and messages.

use napi::bindgen_prelude::{FromNapiValue, JsObjectValue, JsValue, Uint8Array};
use napi::{Result, Unknown, ValueType};

use super::{Context, is_nullish, kind, text};

/// The largest integer that a number holds exactly (`Number.MAX_SAFE_INTEGER`).
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
const NO_NUL: &str = "must be a string without null bytes";

impl Context<'_> {
    pub fn check_string(&self, value: &Unknown, name: &str) -> Result<String> {
        match kind(value)? {
            ValueType::String => text(value),
            _ => Err(self.invalid_type(name, "of type string", value)),
        }
    }

    pub fn check_object(&self, value: &Unknown, name: &str) -> Result<()> {
        match kind(value)? {
            ValueType::Object if !value.is_array()? => Ok(()),
            _ => Err(self.invalid_type(name, "of type object", value)),
        }
    }

    pub fn check_array(&self, value: &Unknown, name: &str) -> Result<()> {
        if value.is_array()? { Ok(()) } else { Err(self.invalid_type(name, "an instance of Array", value)) }
    }

    /// Checks for a boolean, null or undefined.
    pub fn check_boolean(&self, value: &Unknown, name: &str) -> Result<bool> {
        match kind(value)? {
            ValueType::Boolean => value.coerce_to_bool(),
            _ if is_nullish(value)? => Ok(false),
            _ => Err(self.invalid_type(name, "of type boolean", value)),
        }
    }

    /// Checks for a user or group id, null or undefined.
    pub fn check_id(&self, value: &Unknown, name: &str) -> Result<()> {
        if is_nullish(value)? {
            return Ok(());
        }
        let number = self.number(value)?;
        let fits = |number: &f64| (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(number);
        let integer = number.filter(|number| number.fract() == 0.0);
        if integer.is_some_and(|number| fits(&number)) {
            return Ok(());
        }
        // Node 26 has an error for each of the three cases.
        Err(match (self.node >= 26, number, integer) {
            (false, ..) => self.invalid_type(name, "int32", value),
            (true, None, _) => self.invalid_type(name, "of type number", value),
            (true, Some(_), None) => self.out_of_range(name, "an integer", value),
            (true, Some(_), Some(_)) => self.out_of_range(name, ">= -2147483648 && <= 2147483647", value),
        })
    }

    /// Checks `options.timeout`, milliseconds; null and undefined pass.
    pub fn check_timeout(&self, value: &Unknown) -> Result<()> {
        const NAME: &str = "timeout";
        if is_nullish(value)? {
            return Ok(());
        }
        let number = self.number(value)?;
        let integer = number.filter(|number| number.fract() == 0.0);
        if self.node >= 26 {
            return match (number, integer) {
                (None, _) => Err(self.invalid_type(NAME, "of type number", value)),
                (_, None) => Err(self.out_of_range(NAME, "an integer", value)),
                (_, Some(integer)) if !(0.0..=MAX_SAFE_INTEGER).contains(&integer) => {
                    Err(self.out_of_range(NAME, ">= 0 && <= 9007199254740991", value))
                }
                _ => Ok(()),
            };
        }
        match integer {
            Some(integer) if integer >= 0.0 => Ok(()),
            _ => Err(self.out_of_range(NAME, "an unsigned integer", value)),
        }
    }

    /// Checks `options.maxBuffer`, bytes; null and undefined pass.
    pub fn check_max_buffer(&self, value: &Unknown) -> Result<()> {
        const NAME: &str = "options.maxBuffer";
        match (is_nullish(value)?, self.number(value)?) {
            (true, _) => Ok(()),
            (false, Some(number)) if number >= 0.0 => Ok(()),
            (false, _) if self.node < 26 => Err(self.out_of_range(NAME, "a positive number", value)),
            (false, None) => Err(self.invalid_type(NAME, "of type number", value)),
            (false, Some(_)) => Err(self.out_of_range(NAME, ">= 0", value)),
        }
    }

    /// Checks `options.signal`, an AbortSignal; undefined passes.
    pub fn check_abort_signal(&self, value: &Unknown) -> Result<()> {
        let fits = match kind(value)? {
            ValueType::Undefined => true,
            ValueType::Object => value.coerce_to_object()?.has_named_property("aborted")?,
            _ => false,
        };
        if fits {
            Ok(())
        } else {
            Err(self.invalid_type("options.signal", "an instance of AbortSignal", value))
        }
    }

    /// Rejects a string that contains a NUL; any other value passes.
    pub fn check_no_nul(&self, value: &Unknown, name: impl FnOnce() -> String) -> Result<()> {
        if kind(value)? == ValueType::String && text(value)?.contains('\0') {
            return Err(self.invalid_value(&name(), value, NO_NUL));
        }
        Ok(())
    }

    /// Checks for a path: a string or a Buffer. A `file:` URL has been converted before.
    pub fn check_path(&self, value: &Unknown, name: &str) -> Result<()> {
        let has_nul = match kind(value)? {
            ValueType::String => text(value)?.contains('\0'),
            ValueType::Object if value.is_typedarray()? => match Uint8Array::from_unknown(*value) {
                Ok(bytes) => bytes.contains(&0),
                Err(_) => return Err(self.not_a_path(value, name)),
            },
            _ => return Err(self.not_a_path(value, name)),
        };
        if has_nul {
            return Err(self.invalid_value(
                name,
                value,
                "must be a string, Uint8Array, or URL without null bytes",
            ));
        }
        Ok(())
    }

    fn not_a_path(&self, value: &Unknown, name: &str) -> napi::Error {
        self.invalid_type(name, "of type string or an instance of Buffer or URL", value)
    }

    fn number(&self, value: &Unknown) -> Result<Option<f64>> {
        match kind(value)? {
            ValueType::Number => value.coerce_to_number()?.get_double().map(Some),
            _ => Ok(None),
        }
    }
}
