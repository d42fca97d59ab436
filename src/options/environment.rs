//! The environment that a child gets, as `NAME=value` strings.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Result, Unknown, ValueType};

use super::given::Options;
use super::{Context, is_truthy, kind, option, text};
use crate::{reactor, sys};

/// Where Node writes coverage (Node.js documentation, «NODE_V8_COVERAGE»).
const COVERAGE: &str = "NODE_V8_COVERAGE";

/// `NAME=value` strings; `None` passes the environment of this process on as it is.
pub type Pairs = Option<Vec<String>>;

/// The environment of a child of these options. `PATH` and all the rest are `options.env`'s where that is given.
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
    if context.inherits_environment()? {
        return Ok(None);
    }
    let ambient = match context.hook(c"ambient", ((),))? {
        Some(ambient) => ambient,
        None if reactor::is_main(context.env) => return Ok(None),
        // Without lib/: a Worker has an environment of its own, and the process's may be changing meanwhile.
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

/// Sets a variable, in its place where it has one: the order of the environment can be seen.
pub fn set(pairs: &mut Vec<String>, name: &str, value: &str) {
    let pair = format!("{name}={value}");
    match pairs.iter_mut().find(|pair| is_of(pair, name)) {
        Some(place) => *place = pair,
        None => pairs.push(pair),
    }
}

/// Takes a variable out; gives its value.
pub fn take(pairs: &mut Vec<String>, name: &str) -> Option<String> {
    let place = pairs.iter().position(|pair| is_of(pair, name))?;
    Some(pairs.remove(place).split_off(name.len() + 1))
}

fn is_of(pair: &str, name: &str) -> bool {
    pair.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

/// Every enumerable property, inherited ones included, but those that are `undefined`; and `NODE_V8_COVERAGE`, which
/// reaches children whatever environment they are given.
fn list_with_coverage(context: &Context, env: &Object, coverage: &Unknown) -> Result<Vec<String>> {
    let mut pairs = vec![];
    let passes_coverage = is_truthy(coverage)? && !env.has_own_property(COVERAGE)?;
    list(context, env, passes_coverage.then_some(COVERAGE), &mut pairs)?;
    if passes_coverage {
        pairs.push(format!("{COVERAGE}={}", text(coverage)?));
    }
    Ok(pairs)
}

/// Every enumerable property, inherited ones included, but those that are `undefined` and the one named.
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
