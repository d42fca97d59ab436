//! `exec` and `execFile`: a process whose outputs are gathered.

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, Result, Unknown, ValueType};
use napi_derive::napi;

use super::process::{self, Plan};
use super::spawn::start_normalized;
use crate::engine;
use crate::options::arguments::{self, Arguments};
use crate::options::call::{Call, read_command};
use crate::options::given::Options;
use crate::options::normalize::{Normalized, elements, normalize};
use crate::options::{Context, input, is_truthy, kind, text};

/// The options that are `spawn`'s.
const SPAWN: [&str; 8] =
    ["cwd", "env", "gid", "shell", "signal", "uid", "windowsHide", "windowsVerbatimArguments"];

/// Runs `file` (Node.js documentation, «child_process.execFile»). `callback(error, stdout, stderr)` is called when the process has ended
/// and its outputs have. The process is as with `spawn`.
///
/// Where `events` are a Process, they are told instead, as `onexit(code, signal, syscall, outcome)` and, where outputs outlive the process,
/// `onend(outcome)`. The outcome is an array of the callback and its arguments, or null where `finish` is to be asked for it. `onkill(signal)`
/// is to kill the process.
///
/// Throws what Node throws.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn exec_file<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    callback: Unknown<'env>,
    events: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = Context::of(env, events);
    Execution::read(&context, [file, args, options, callback])?.start(&context, events)
}

/// Runs `file` with all options of `spawn`, and gathers what it writes to those of stdout and stderr that are pipes, with the options
/// `encoding` and `maxBuffer` of `execFile`; the rest is as with that.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn gather<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    callback: Unknown<'env>,
    events: Object<'env>,
) -> Result<Unknown<'env>> {
    let context = Context::of(env, Some(events));
    let options = Options::read(&context, &options)?;
    Execution::read_limits(&context, [file, args, callback], options)?.start(&context, Some(events))
}

/// Runs a command line in a shell (Node.js documentation, «child_process.exec»); the rest is as with `execFile`.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn exec<'env>(
    env: &'env Env,
    command: Unknown<'env>,
    options: Unknown<'env>,
    callback: Unknown<'env>,
    events: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = Context::of(env, events);
    let callback = if kind(&options)? == ValueType::Function { options } else { callback };
    let Arguments { file, options, .. } = read_command(&context, command, options)?;
    arguments::check_call(&context, &context.undefined()?, &callback)?;
    let args = engine::array(env, &[])?;
    Execution::settle(&context, [file, args, callback], options)?.start(&context, events)
}

/// What `spawn` takes of a call, and what becomes of the outputs.
pub(super) struct Execution<'a> {
    arguments: Arguments<'a>,
    callback: Unknown<'a>,
    encoding: Option<String>,
    max_buffer: f64,
    timeout: Unknown<'a>,
    kill_signal: Option<i32>,
}

impl<'a> Execution<'a> {
    /// Reads a call of `execFile`.
    pub fn read(context: &Context<'a>, call: [Unknown<'a>; 4]) -> Result<Self> {
        let [file, args, options, callback] = call;
        let Call { file, args, options, callback } = Call::read(context, file, args, options, callback)?;
        let options = Options::read(context, &options)?;
        Self::settle(context, [file, args, callback], options)
    }

    fn settle(
        context: &Context<'a>,
        [file, args, callback]: [Unknown<'a>; 3],
        options: Options<'a>,
    ) -> Result<Self> {
        let env = context.env;
        let mut execution = Self::read_limits(context, [file, args, callback], options)?;
        let options = &mut execution.arguments.options;
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
        Ok(execution)
    }

    /// Takes of `options` what is not `spawn`'s.
    fn read_limits(
        context: &Context<'a>,
        [file, args, callback]: [Unknown<'a>; 3],
        options: Options<'a>,
    ) -> Result<Self> {
        let env = context.env;
        let max_buffer = arguments::max_buffer(context, &options)?;
        let timeout = options.get("timeout");
        let kill_signal =
            arguments::check_limits(context, &timeout, &max_buffer, &options.get("killSignal"))?;
        let kill_signal = if options.has("killSignal") { kill_signal } else { Some(libc::SIGTERM) };
        let encoding = options.get_or("encoding", engine::string(env, b"utf8")?);
        let encoding = if input::is_encoding(&encoding)? { Some(text(&encoding)?) } else { None };
        // As a comparison takes it.
        let max_buffer = match kind(&max_buffer)? {
            ValueType::Undefined => f64::NAN,
            _ => max_buffer.coerce_to_number()?.get_double()?,
        };
        let arguments = Arguments { file, args, given: context.undefined()?, options };
        Ok(Self { arguments, callback, encoding, max_buffer, timeout, kill_signal })
    }

    /// What is to be started, and what is to be done with it.
    pub fn normalize(self, context: &Context<'a>) -> Result<(Normalized<'a>, Plan)> {
        let Self { arguments, callback, encoding, max_buffer, timeout, kill_signal } = self;
        let mut words = elements(&arguments.args)?;
        words.insert(0, arguments.file);
        let command = engine::array(context.env, &words)?;
        let normalized = normalize(context, arguments)?;
        let kept = [callback, command, normalized.file, normalized.args];
        let execution = Some(process::Execution::new(context, kept, encoding, max_buffer)?);
        Ok((
            normalized,
            Plan { timeout: process::timeout(context, &timeout)?, kill_signal, execution, ..Plan::default() },
        ))
    }

    fn start(self, context: &Context<'a>, events: Option<Object<'a>>) -> Result<Unknown<'a>> {
        let (normalized, plan) = self.normalize(context)?;
        let events = events.map_or_else(|| Object::new(context.env), Ok)?;
        start_normalized(context, Some(events), normalized, None, Some(plan))
    }
}
