//! A copy of the options that a function was given, made like `{ ...options }`: each own enumerable property is read
//! once, in order. A property of `Object.prototype` thus cannot become an option.

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Result, Unknown, ValueType};

use super::{Context, is_truthy, kind};
use crate::engine::{self, Names};

struct Entry<'a> {
    key: Unknown<'a>,
    /// `None` for a symbol.
    name: Option<String>,
    value: Unknown<'a>,
}

/// Options by name.
pub struct Options<'a> {
    entries: Vec<Entry<'a>>,
    undefined: Unknown<'a>,
}

/// The names of an object's own enumerable properties.
fn names<'a>(context: &Context<'a>, object: &Unknown) -> Result<Vec<Unknown<'a>>> {
    if context.is_watched {
        return engine::own_names(context.env, object, Names::EnumerableAndSymbols);
    }
    match &context.keys {
        Some(keys) => {
            engine::elements(&engine::call_value(context.env, keys, &context.undefined()?, [object])?)
        }
        None => engine::own_names(context.env, object, Names::Enumerable),
    }
}

impl<'a> Options<'a> {
    /// Copies `given`. If that is not an object, there are no options.
    ///
    /// # Errors
    /// What a getter throws.
    pub fn read(context: &Context<'a>, given: &Unknown<'a>) -> Result<Self> {
        let mut options = Self { entries: vec![], undefined: context.undefined()? };
        if !matches!(kind(given)?, ValueType::Object | ValueType::Function) {
            return Ok(options);
        }
        for key in names(context, given)? {
            let name = engine::utf8(context.env, &key)?;
            let value = engine::property_of(context.env, given, &key)?;
            options.entries.push(Entry { key, name, value });
        }
        Ok(options)
    }

    fn find(&self, name: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.name.as_deref() == Some(name))
    }

    /// Whether an option was given, even if it is `undefined`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// An option; `None` if it was not given. Then there is nothing to check or to convert.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&Unknown<'a>> {
        self.find(name).map(|entry| &entry.value)
    }

    /// Whether an option is true as a condition in JavaScript.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn is_truthy(&self, name: &str) -> Result<bool> {
        self.given(name).map_or(Ok(false), is_truthy)
    }

    /// An option; `undefined` if it was not given.
    #[must_use]
    pub fn get(&self, name: &str) -> Unknown<'a> {
        self.find(name).map_or(self.undefined, |entry| entry.value)
    }

    /// An option; `usual` if it was not given.
    #[must_use]
    pub fn get_or(&self, name: &str, usual: Unknown<'a>) -> Unknown<'a> {
        self.find(name).map_or(usual, |entry| entry.value)
    }

    /// Sets an option.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn set(&mut self, context: &Context<'a>, name: &str, value: Unknown<'a>) -> Result<()> {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.name.as_deref() == Some(name)) {
            entry.value = value;
            return Ok(());
        }
        let key = engine::string(context.env, name.as_bytes())?;
        self.entries.push(Entry { key, name: Some(name.into()), value });
        Ok(())
    }

    /// Keeps only the options with these names.
    pub fn keep(&mut self, names: &[&str]) {
        self.entries.retain(|entry| entry.name.as_deref().is_some_and(|name| names.contains(&name)));
    }

    /// Writes all of them to `target`.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn write_to(&self, target: &mut Object) -> Result<()> {
        self.entries.iter().try_for_each(|entry| target.set_property(entry.key, entry.value))
    }
}
