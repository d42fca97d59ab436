//! The environment that a child gets, as `NAME=value` strings.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Result, Unknown, ValueType};

use super::given::Options;
use super::{Context, is_truthy, kind, option, text};
use crate::{reactor, sys};

/// Where Node writes coverage (Node.js documentation, «NODE_V8_COVERAGE»).
const COVERAGE: &str = "NODE_V8_COVERAGE";

/// `NAME=value` strings; with `None` the child inherits the environment of this process.
pub type Pairs = Option<Vec<String>>;

/// The environment of a child with these options.
///
/// # Errors
/// `ERR_INVALID_ARG_VALUE` for a NUL; what a getter or a value's `toString` throws.
pub fn pairs(context: &Context, options: &Options) -> Result<Pairs> {
    let env = options.get("env");
    if is_truthy(&env)? {
        let coverage = match context.hook(c"coverage", ((),))? {
            Some(coverage) => coverage,
            None => option(&context.of_process(c"env")?.coerce_to_object()?, c"NODE_V8_COVERAGE")?,
        };
        return list_with_coverage(context, &env.coerce_to_object()?, &coverage).map(Some);
    }
    if context.inherits_environment == Some(true) {
        return Ok(None);
    }
    let ambient = match context.hook(c"ambient", ((),))? {
        Some(ambient) => ambient,
        None if reactor::is_main(context.env) => return Ok(None),
        // Without lib/: a Worker has its own environment, and other threads may be changing that of the process.
        None => context.of_process(c"env")?,
    };
    if !is_truthy(&ambient)? {
        return Ok(None);
    }
    let mut pairs = vec![];
    list(context, &ambient.coerce_to_object()?, None, &mut pairs)?;
    Ok(Some(pairs))
}

/// The environment of this process.
pub fn of_this_process() -> Vec<String> {
    let mut pairs = vec![];
    sys::for_each_env(|entry| pairs.push(entry.to_string_lossy().into_owned()));
    pairs
}

/// The value of a variable.
pub fn value<'a>(pairs: &'a [String], name: &str) -> Option<&'a str> {
    pairs.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// Sets a variable. If it is already set, it keeps its place, because the child can see the order.
pub fn set(pairs: &mut Vec<String>, name: &str, value: &str) {
    let pair = format!("{name}={value}");
    match pairs.iter_mut().find(|pair| is_of(pair, name)) {
        Some(place) => *place = pair,
        None => pairs.push(pair),
    }
}

/// Removes a variable, and returns its value.
pub fn take(pairs: &mut Vec<String>, name: &str) -> Option<String> {
    let place = pairs.iter().position(|pair| is_of(pair, name))?;
    Some(pairs.remove(place).split_off(name.len() + 1))
}

fn is_of(pair: &str, name: &str) -> bool {
    pair.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

/// Lists `env` as [`list`] does, and adds `NODE_V8_COVERAGE`, which children get whatever environment they are given.
fn list_with_coverage(context: &Context, env: &Object, coverage: &Unknown) -> Result<Vec<String>> {
    let mut pairs = vec![];
    let passes_coverage = is_truthy(coverage)? && !env.has_own_property(COVERAGE)?;
    list(context, env, passes_coverage.then_some(COVERAGE), &mut pairs)?;
    if passes_coverage {
        pairs.push(format!("{COVERAGE}={}", text(coverage)?));
    }
    Ok(pairs)
}

/// Lists every enumerable property, including inherited ones, except those with the value `undefined` and the property
/// `but`.
fn list(context: &Context, env: &Object, but: Option<&str>, pairs: &mut Vec<String>) -> Result<()> {
    let names = env.get_property_names()?;
    for index in 0..names.get_array_length()? {
        let name: Unknown = names.get_element(index)?;
        let value: Unknown = env.get_property_unchecked(name)?;
        if kind(&value)? == ValueType::Undefined {
            continue;
        }
        let key = text(&name)?;
        if but == Some(key.as_str()) {
            continue;
        }
        context.check_no_nul(&name, || format!("options.env['{key}']"))?;
        context.check_no_nul(&value, || format!("options.env['{key}']"))?;
        pairs.push(format!("{key}={}", text(&value)?));
    }
    Ok(())
}
