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

/// Writes to `target` what `launch` takes, from the arguments of `spawn`, `fork` or `execFile` (`verb`). Returns `killSignal`,
/// the number of that option, `mayBeNative`, whether the child may have the native end of a channel, and for `execFile`
/// `execution`, as the process has it.
///
/// Throws what that function throws.
#[napi(catch_unwind, ts_return_type = "{ killSignal?: number; mayBeNative: boolean; execution?: Execution }")]
pub fn normalize<'env>(
    env: &'env Env,
    verb: String,
    call: Vec<Unknown<'env>>,
    host: Option<Object<'env>>,
    mut target: Object<'env>,
) -> Result<Object<'env>> {
    let context = Context::of(env, host)?;
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
    let mut described = Object::new(env)?;
    let pairs = normalized.env.as_deref().unwrap_or_default();
    let may_be_native = match exec_argv {
        Some(exec_argv) => channel::may_be_native(&context, &exec_argv, pairs)?,
        None => false,
    };
    described.set_c_named_property(c"mayBeNative", may_be_native)?;
    if let Some(number) = arguments::check_ending(&context, &normalized.options)? {
        described.set_c_named_property(c"killSignal", number)?;
    }
    if let Some(settings) = settings {
        described.set_c_named_property(c"execution", settings.to_unknown())?;
    }
    Ok(described)
}
