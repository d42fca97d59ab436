//! Normalised options for JavaScript, where a program hooks in between a call and its launch.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Error, Result, Unknown};
use napi_derive::napi;

use super::exec::{self, Execution};
use super::spawn::read_arguments;
use crate::engine;
use crate::options::fork::{self, Forked};
use crate::options::normalize::normalize as normalize_arguments;
use crate::options::{Context, arguments, channel};

/// Writes to `target` what `launch` takes, from the arguments of `spawn`, `fork` or `execFile` (`verb`). Returns the number of
/// `options.killSignal`; for `execFile`, what `execution` is otherwise.
///
/// Throws what that function throws.
#[napi(catch_unwind)]
pub fn normalize<'env>(
    env: &'env Env,
    verb: String,
    call: Vec<Unknown<'env>>,
    host: Option<Object<'env>>,
    mut target: Object<'env>,
) -> Result<Unknown<'env>> {
    let context = Context::new(env, host)?;
    let undefined = engine::undefined(env)?;
    let [first, args, options, callback] =
        [0, 1, 2, 3].map(|index| call.get(index).copied().unwrap_or(undefined));
    let (arguments, exec_argv, settings) = match verb.as_str() {
        "spawn" => (read_arguments(&context, first, args, options)?, None, None),
        "fork" => {
            let Forked { arguments, exec_argv, is_this_node } = fork::read(&context, first, args, options)?;
            (arguments, is_this_node.then_some(exec_argv), None)
        }
        "execFile" => {
            let Execution { arguments, settings } = exec::read(&context, [first, args, options, callback])?;
            (arguments, None, Some(settings))
        }
        _ => return Err(Error::from_reason("no such verb")),
    };
    let normalized = normalize_arguments(&context, arguments)?;
    normalized.write_to(&mut target)?;
    if let Some(exec_argv) = exec_argv {
        let pairs = normalized.env.as_deref().unwrap_or_default();
        let may_be_native = channel::may_be_native(&context, &exec_argv, pairs)?;
        target.set_c_named_property(c"nativeChannel", may_be_native)?;
    }
    match (arguments::check_ending(&context, &normalized.options)?, settings) {
        (_, Some(settings)) => Ok(settings.to_unknown()),
        (Some(number), None) => engine::number(env, f64::from(number)),
        (None, None) => Ok(undefined),
    }
}
