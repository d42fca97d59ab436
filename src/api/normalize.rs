//! The first of the two steps of a call that a program hooks into: normalises the options, and shows them to
//! JavaScript. `launch` is the second.

use napi::bindgen_prelude::{External, JsObjectValue, Object};
use napi::{Env, Error, Result, Unknown};
use napi_derive::napi;

use super::exec::ExecCall;
use super::process::Plan;
use super::runtime;
use super::spawn::read_arguments;
use crate::engine;
use crate::options::channel;
use crate::options::fork::{self, Forked};
use crate::options::normalize::normalize as normalize_arguments;

/// Normalises the arguments of the function `verb` (`spawn`, `fork` or `execFile`), and writes the options for `launch`
/// to `target`. Returns `killSignal`, the number of that option; `mayBeNative`, whether the child may have a native end
/// of a channel; `plan`, for `follow`; and for `execFile` the `call`, for `Process#finish`.
///
/// Throws what the function `verb` throws.
#[napi(
    catch_unwind,
    ts_return_type = "{ killSignal?: number; mayBeNative: boolean; plan: Plan; call?: Call }"
)]
pub fn normalize<'env>(
    env: &'env Env,
    verb: String,
    call: Vec<Unknown<'env>>,
    host: Option<Object<'env>>,
    mut target: Object<'env>,
) -> Result<Object<'env>> {
    let mut context = runtime::context(env, host)?;
    context.is_watched = true;
    let undefined = engine::undefined(env)?;
    let [first, args, options, callback] =
        [0, 1, 2, 3].map(|index| call.get(index).copied().unwrap_or(undefined));
    let mut described = Object::new(env)?;
    let (normalized, exec_argv, plan) = match verb.as_str() {
        "spawn" => {
            (normalize_arguments(&context, read_arguments(&context, first, args, options)?)?, None, None)
        }
        "fork" => {
            let Forked { arguments, exec_argv, is_this_node } = fork::read(&context, first, args, options)?;
            (normalize_arguments(&context, arguments)?, is_this_node.then_some(exec_argv), None)
        }
        "execFile" => {
            let call = ExecCall::read(&context, [first, args, options, callback])?;
            let (normalized, plan, _, call) = call.normalize(&context)?;
            described.set_c_named_property(c"call", call)?;
            (normalized, None, Some(plan))
        }
        _ => return Err(Error::from_reason("no such verb")),
    };
    normalized.write_to(&context, &mut target)?;
    let pairs = normalized.env.as_deref().unwrap_or_default();
    let may_be_native = match exec_argv {
        Some(exec_argv) => channel::may_be_native(&context, &exec_argv, pairs)?,
        None => false,
    };
    described.set_c_named_property(c"mayBeNative", may_be_native)?;
    let plan = Plan::read(&context, &normalized.options, plan)?;
    if let Some(number) = plan.abort_signal {
        described.set_c_named_property(c"killSignal", number)?;
    }
    described.set_c_named_property(c"plan", External::new(plan))?;
    Ok(described)
}
