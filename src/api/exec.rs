//! `exec` and `execFile`: a process whose outputs are gathered.

use napi::bindgen_prelude::{ClassInstance, JsObjectValue, JsValue, Object};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use super::process::ProcessObject as Process;
use super::spawn::start_normalized;
use crate::engine;
use crate::options::arguments::{self, Arguments};
use crate::options::call::{Call, read_command};
use crate::options::given::Options;
use crate::options::normalize::normalize;
use crate::options::{Context, input, is_truthy};

/// The options that are `spawn`'s.
const SPAWN: [&str; 8] =
    ["cwd", "env", "gid", "shell", "signal", "uid", "windowsHide", "windowsVerbatimArguments"];

/// Runs `file` (Node.js documentation, «child_process.execFile»). The process is as with `spawn`, and has what is to become of
/// its outputs in `execution`: `file`, `args`, `callback`, `encoding` where they are to be text, `maxBuffer`, `timeout` and
/// the number of `killSignal`.
///
/// Throws what Node throws.
#[napi(catch_unwind)]
pub fn exec_file<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    callback: Unknown<'env>,
    events: Option<Object<'env>>,
) -> Result<ClassInstance<'env, Process>> {
    let context = Context::of(env, events)?;
    start(&context, read(&context, [file, args, options, callback])?, events)
}

/// Runs a command line in a shell (Node.js documentation, «child_process.exec»); the rest is as with `execFile`.
#[napi(catch_unwind)]
pub fn exec<'env>(
    env: &'env Env,
    command: Unknown<'env>,
    options: Unknown<'env>,
    callback: Unknown<'env>,
    events: Option<Object<'env>>,
) -> Result<ClassInstance<'env, Process>> {
    let context = Context::of(env, events)?;
    let callback =
        if crate::options::kind(&options)? == napi::ValueType::Function { options } else { callback };
    let Arguments { file, options, .. } = read_command(&context, command, options)?;
    arguments::check_call(&context, &context.undefined()?, &callback)?;
    let args = engine::array(env, &[])?;
    start(&context, settle(&context, [file, args, callback], options)?, events)
}

/// What `spawn` takes of a call, and what becomes of the outputs.
pub(super) struct Execution<'a> {
    pub arguments: Arguments<'a>,
    pub settings: Object<'a>,
}

/// Reads a call of `execFile`.
pub(super) fn read<'a>(context: &Context<'a>, call: [Unknown<'a>; 4]) -> Result<Execution<'a>> {
    let [file, args, options, callback] = call;
    let Call { file, args, options, callback } = Call::read(context, file, args, options, callback)?;
    let options = Options::read(context, &options)?;
    settle(context, [file, args, callback], options)
}

fn settle<'a>(
    context: &Context<'a>,
    [file, args, callback]: [Unknown<'a>; 3],
    mut options: Options<'a>,
) -> Result<Execution<'a>> {
    let env = context.env;
    let max_buffer = arguments::max_buffer(context, &options)?;
    let timeout = options.get("timeout");
    let kill_signal = match options.has("killSignal") {
        true => arguments::check_limits(context, &timeout, &max_buffer, &options.get("killSignal"))?,
        false => {
            arguments::check_limits(context, &timeout, &max_buffer, &context.undefined()?)?;
            Some(libc::SIGTERM)
        }
    };
    let mut settings = Object::new(env)?;
    settings.set_c_named_property(c"file", file)?;
    settings.set_c_named_property(c"args", args)?;
    settings.set_c_named_property(c"callback", callback)?;
    let encoding = options.get("encoding");
    if !options.has("encoding") {
        settings.set_c_named_property(c"encoding", "utf8")?;
    } else if input::is_encoding(&encoding)? {
        settings.set_c_named_property(c"encoding", encoding)?;
    }
    settings.set_c_named_property(c"maxBuffer", max_buffer)?;
    settings.set_c_named_property(c"timeout", timeout)?;
    if let Some(number) = kill_signal {
        settings.set_c_named_property(c"killSignal", number)?;
    }
    options.keep(&SPAWN);
    // What the tracing channel publishes has all of them.
    for name in SPAWN {
        let usual = match name {
            "cwd" | "env" => engine::null(env)?,
            "shell" => engine::boolean(env, false)?,
            _ => context.undefined()?,
        };
        options.set(context, name, options.get_or(name, usual))?;
    }
    for name in ["windowsHide", "windowsVerbatimArguments"] {
        let is_set = is_truthy(&options.get(name))?;
        options.set(context, name, engine::boolean(env, is_set)?)?;
    }
    let given = context.undefined()?;
    Ok(Execution { arguments: Arguments { file, args, given, options }, settings })
}

fn start<'a>(
    context: &Context<'a>,
    execution: Execution<'a>,
    events: Option<Object<'a>>,
) -> Result<ClassInstance<'a, Process>> {
    let normalized = normalize(context, execution.arguments)?;
    let mut process = start_normalized(context, events, normalized, None)?;
    process.set_c_named_property(c"execution", execution.settings.to_unknown())?;
    Ok(process)
}
