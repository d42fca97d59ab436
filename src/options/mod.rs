//! JavaScript options in, plain Rust data out, or the error that Node would throw.
//!
//! Two steps, as in Node, because programs hook in between (`ChildProcess.prototype.spawn` is patched by tracers and
//! coverage tools): [`arguments`] turns what `spawn()` was called with into one normalised object, [`command`] turns such
//! an object into a [`crate::launch::Command`].

pub mod arguments;
pub mod check;
pub mod command;
pub mod error;
pub mod signal;
pub mod stdio;

use napi::bindgen_prelude::{FnArgs, Function, JsObjectValue, JsValue, JsValuesTupleIntoVec, Object};
use napi::{Result, Unknown, ValueType};

/// What the conversions need from JavaScript: the hooks of `lib/errors.js`.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    hooks: Object<'a>,
    /// The major version of the running Node, for the messages that changed.
    pub node: u32,
}

impl<'a> Context<'a> {
    #[must_use]
    pub fn new(hooks: Object<'a>, node: u32) -> Self {
        Self { hooks, node }
    }

    /// Calls a hook.
    ///
    /// # Errors
    /// What the hook throws.
    pub fn hook<A>(&self, name: &str, arguments: A) -> Result<Unknown<'a>>
    where
        FnArgs<A>: JsValuesTupleIntoVec,
    {
        self.hooks.get_named_property::<Function<FnArgs<A>, Unknown>>(name)?.call(arguments.into())
    }
}

/// `String(value)`, as UTF-8; lone surrogates become U+FFFD.
///
/// # Errors
/// What the value's `toString` throws; a TypeError for a symbol.
pub fn text(value: &Unknown) -> Result<String> {
    value.coerce_to_string()?.into_utf8()?.into_owned()
}

/// The kind of `value`; an array and a null count as objects, as with `typeof`, but null is told apart.
pub fn kind(value: &Unknown) -> Result<ValueType> {
    value.get_type()
}

/// Whether `value` is `null` or `undefined`.
pub fn is_nullish(value: &Unknown) -> Result<bool> {
    Ok(matches!(kind(value)?, ValueType::Null | ValueType::Undefined))
}

/// Whether JavaScript takes `value` for true.
pub fn is_truthy(value: &Unknown) -> Result<bool> {
    value.coerce_to_bool()
}

/// An option's value; `undefined` where there is none.
pub fn option<'a>(options: &Object<'a>, name: &std::ffi::CStr) -> Result<Unknown<'a>> {
    options.get_c_named_property_unchecked(name)
}
