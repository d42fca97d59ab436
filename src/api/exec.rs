//! `exec` and `execFile`: a process whose outputs are captured, and what its callback is called with.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Error, Result, Unknown, ValueType};
use napi_derive::napi;

use super::process::{self, Argv, Capture, Plan};
use super::results::{self, Program};
use super::runtime;
use super::spawn::start_normalized;
use crate::engine;
use crate::options::arguments::{self, Arguments};
use crate::options::call::{Call, read_command};
use crate::options::given::Options;
use crate::options::normalize::{Normalized, elements, join, normalize};
use crate::options::{Context, input, is_truthy, kind, option, text};

/// The options that are passed on to `spawn`.
const SPAWN: [&str; 8] =
    ["cwd", "env", "gid", "shell", "signal", "uid", "windowsHide", "windowsVerbatimArguments"];

/// Runs `file` (Node.js documentation, «child_process.execFile»). `callback(error, stdout, stderr)` is called when the
/// process has exited and its outputs are at their end. Returns the same as `spawn`.
///
/// If `events` becomes the process, it has to call the callback. Its method `onexit(code, signal, syscall, outputs)` is
/// called, and `onend(outputs)` if an output outlives the process. `outputs` is undefined if they may bring more; null
/// if something went wrong or a stream has one of them, and then `finish` returns the arguments of the callback;
/// otherwise an array of both. Its method `onkill(signal)` has to kill the process.
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
    let context = runtime::context(env, events)?.knowing_inheritance()?;
    ExecCall::read(&context, [file, args, options, callback])?.start(&context, events)
}

/// Like `execFile`, but takes all options of `spawn`, and of the other options of `execFile` only `encoding` and
/// `maxBuffer`. stdout and stderr are captured if they are pipes; with the option `all` also both in the order in which
/// they come.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn capture<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    callback: Unknown<'env>,
    events: Object<'env>,
) -> Result<Unknown<'env>> {
    let context = runtime::context(env, Some(events))?.knowing_inheritance()?;
    let options = Options::read(&context, &options)?;
    let has_order = options.is_truthy("all")?;
    let call = ExecCall::read_limits(&context, [file, args, callback], options)?;
    ExecCall { has_order, ..call }.start(&context, Some(events))
}

/// Runs a command line in a shell (Node.js documentation, «child_process.exec»). The rest is as with `execFile`.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn exec<'env>(
    env: &'env Env,
    command: Unknown<'env>,
    options: Unknown<'env>,
    callback: Unknown<'env>,
    events: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = runtime::context(env, events)?.knowing_inheritance()?;
    let callback = if kind(&options)? == ValueType::Function { options } else { callback };
    let Arguments { file, options, .. } = read_command(&context, command, options)?;
    arguments::check_call(&context, &context.undefined()?, &callback)?;
    let args = engine::array(env, &[])?;
    ExecCall::check(&context, [file, args, callback], options)?.start(&context, events)
}

/// The arguments of `execFile`, checked: those of `spawn`, and those about the outputs.
pub(super) struct ExecCall<'a> {
    arguments: Arguments<'a>,
    callback: Unknown<'a>,
    encoding: Option<String>,
    max_buffer: f64,
    timeout: Unknown<'a>,
    kill_signal: Option<i32>,
    /// Whether the order of both outputs is to be recorded.
    has_order: bool,
}

impl<'a> ExecCall<'a> {
    /// Reads and checks the arguments of `execFile`.
    pub fn read(context: &Context<'a>, call: [Unknown<'a>; 4]) -> Result<Self> {
        let [file, args, options, callback] = call;
        let Call { file, args, options, callback } = Call::read(context, file, args, options, callback)?;
        let options = Options::read(context, &options)?;
        Self::check(context, [file, args, callback], options)
    }

    fn check(
        context: &Context<'a>,
        [file, args, callback]: [Unknown<'a>; 3],
        options: Options<'a>,
    ) -> Result<Self> {
        let env = context.env;
        let mut call = Self::read_limits(context, [file, args, callback], options)?;
        let options = &mut call.arguments.options;
        options.keep(&SPAWN);
        // The builtin sets all of them, which a patched `ChildProcess.prototype.spawn` sees.
        for name in SPAWN {
            let usual = match name {
                "cwd" | "env" => engine::null(env)?,
                "shell" => engine::boolean(env, false)?,
                _ => context.undefined()?,
            };
            options.set(context, name, options.get_or(name, usual))?;
        }
        for name in ["windowsHide", "windowsVerbatimArguments"] {
            let is_set = options.is_truthy(name)?;
            options.set(context, name, engine::boolean(env, is_set)?)?;
        }
        Ok(call)
    }

    /// Reads and checks the options that `spawn` does not have.
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
        // Converted as by a comparison in JavaScript.
        let max_buffer = match kind(&max_buffer)? {
            ValueType::Undefined => f64::NAN,
            _ => max_buffer.coerce_to_number()?.get_double()?,
        };
        let arguments = Arguments { file, args, given: context.undefined()?, options };
        Ok(Self { arguments, callback, encoding, max_buffer, timeout, kill_signal, has_order: false })
    }

    /// The command to start, the plan for its process, `argv`, and the call as an array: see [`CallParts`].
    pub fn normalize(self, context: &Context<'a>) -> Result<(Normalized<'a>, Plan, Argv<'a>, Unknown<'a>)> {
        let Self { arguments, callback, encoding, max_buffer, timeout, kill_signal, has_order } = self;
        let mut words = elements(&arguments.args)?;
        words.insert(0, arguments.file);
        let command = engine::array(context.env, &words)?;
        let normalized = normalize(context, arguments)?;
        let args = normalized.args(context)?;
        let call = engine::array(context.env, &[callback, command, normalized.file, args])?;
        let timeout = process::timeout(context, &timeout)?;
        let capture = Some(Capture::new(encoding, max_buffer, has_order));
        let plan = Plan { timeout, kill_signal, capture, ..Plan::default() };
        Ok((normalized, plan, Argv::Array(args), call))
    }

    fn start(self, context: &Context<'a>, events: Option<Object<'a>>) -> Result<Unknown<'a>> {
        let (normalized, plan, argv, call) = self.normalize(context)?;
        let events = events.map_or_else(|| Object::new(context.env), Ok)?;
        start_normalized(context, Some(events), normalized, argv, None, Some((plan, call)))
    }
}

/// What is kept of a call until its callback is called.
struct CallParts<'a> {
    callback: Unknown<'a>,
    /// The file and the arguments as they were given.
    words: Vec<Unknown<'a>>,
    program: Program<'a>,
}

impl<'a> CallParts<'a> {
    /// Reads the array that [`ExecCall::normalize`] has made.
    fn read(call: &Unknown<'a>) -> Result<Self> {
        let [callback, words, file, args] = <[Unknown; 4]>::try_from(elements(call)?)
            .map_err(|_| Error::from_reason("not a call of execFile"))?;
        Ok(Self { callback, words: elements(&words)?, program: Program { file, words: elements(&args)? } })
    }
}

/// The callback of a call.
pub(super) fn callback<'a>(call: &Unknown<'a>) -> Result<Unknown<'a>> {
    CallParts::read(call).map(|parts| parts.callback)
}

/// What the caller knows when a process has closed, or has failed.
pub(super) struct CloseEvent<'a> {
    /// What went wrong, if that is known only to the caller.
    pub error: Unknown<'a>,
    pub code: Unknown<'a>,
    pub signal: Unknown<'a>,
    /// What streams have brought of stdout and stderr.
    pub streamed: [Unknown<'a>; 2],
}

impl<'a> CloseEvent<'a> {
    pub fn read(end: &Object<'a>) -> Result<Self> {
        let streamed = [option(end, c"stdout")?, option(end, c"stderr")?];
        let [error, code, signal] = [option(end, c"error")?, option(end, c"code")?, option(end, c"signal")?];
        Ok(Self { error, code, signal, streamed })
    }

    pub fn unknown(context: &Context<'a>) -> Result<Self> {
        let unknown = context.undefined()?;
        Ok(Self { error: unknown, code: unknown, signal: unknown, streamed: [unknown; 2] })
    }
}

/// The arguments of a callback, error, stdout and stderr; then the command line, for `error.cmd`, and for `capture` with
/// the option `all` both outputs in order.
pub(super) type CallbackArguments<'a> = [Unknown<'a>; 5];

/// What the callback of `call` is to be called with.
pub(super) fn callback_arguments<'a>(
    context: &Context<'a>,
    capture: &Capture,
    call: &Unknown<'a>,
    end: &CloseEvent<'a>,
) -> Result<CallbackArguments<'a>> {
    let env = context.env;
    let CallParts { words, program, .. } = CallParts::read(call)?;
    let command = join(context, &words)?;
    let mut undecodable = None;
    // It may be longer than a string can be.
    let mut or_empty = |captured: Result<Unknown<'a>>| {
        captured.or_else(|error| {
            undecodable = Some(engine::thrown(env, error));
            engine::string(env, b"")
        })
    };
    let all = or_empty(capture.interleaved(env))?;
    let mut output = |index: usize, streamed: Unknown<'a>| {
        let captured = capture.take(context, index);
        if kind(&streamed)? == ValueType::Undefined { or_empty(captured) } else { Ok(streamed) }
    };
    let [stdout, stderr] = [output(1, end.streamed[0])?, output(2, end.streamed[1])?];
    let error = if is_truthy(&end.error)? {
        end.error
    } else if let Some(problem) = capture.problem()
        && let Some(error) = results::error_of(context, problem, &program)?
    {
        error.to_unknown()
    } else if let Some(error) = undecodable {
        error
    } else if is_success(env, end)? {
        engine::null(env)?
    } else {
        failed(context, capture, end, command, &stderr)?.to_unknown()
    };
    Ok([error, stdout, stderr, command, all])
}

fn is_success(env: &Env, end: &CloseEvent) -> Result<bool> {
    let is_zero = kind(&end.code)? == ValueType::Number && engine::to_f64(env, &end.code)? == 0.0;
    Ok(is_zero && kind(&end.signal)? == ValueType::Null)
}

/// The error of a command that has run and failed.
fn failed<'a>(
    context: &Context<'a>,
    capture: &Capture,
    end: &CloseEvent<'a>,
    command: Unknown<'a>,
    stderr: &Unknown<'a>,
) -> Result<Object<'a>> {
    let env = context.env;
    let mut error = results::command_failed(env, command, stderr, "\n")?;
    let errno = engine::to_f64(env, &end.code).ok().filter(|code| *code < 0.0);
    match errno {
        Some(errno) => error.set_c_named_property(c"code", context.errno_name(-errno as i32)?)?,
        None => error.set_c_named_property(c"code", end.code)?,
    }
    error.set_c_named_property(c"killed", capture.is_killed())?;
    error.set_c_named_property(c"signal", end.signal)?;
    Ok(error)
}
