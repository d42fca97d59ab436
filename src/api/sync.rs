//! `spawnSync`, `execFileSync`, `execSync`: a process run to its end while JavaScript waits.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use super::channel::registry;
use super::decoding::decode;
use super::forking;
use super::results::{Started, assign, check_permitted, command_failed, text_of};
use super::spawn::read_arguments;
pub(super) use crate::capture::Limits;
use crate::capture::{self, Cut, End, Finished};
use crate::engine;
use crate::launch::{Command, Stdio};
use crate::options::arguments::{self, Arguments};
use crate::options::call::{Call, read_command};
use crate::options::command::{self, Plain};
use crate::options::normalize::{elements, join, normalize};
use crate::options::stdio::{self, Entry};
use crate::options::{Context, input, is_nullish, is_truthy, option, signal};
use crate::sys;

/// Starts `file` and waits for its end (Node.js documentation, «child_process.spawnSync»). `host.hooks` words the errors, as
/// for every function.
#[napi(catch_unwind)]
pub fn spawn_sync<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    host: Option<Object<'env>>,
) -> Result<Object<'env>> {
    let context = Context::of(env, host);
    Ok(run(&context, read_arguments(&context, file, args, options)?)?.object)
}

/// Runs `file` and returns its output (Node.js documentation, «child_process.execFileSync»).
#[napi(catch_unwind)]
pub fn exec_file_sync<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    host: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = Context::of(env, host);
    let call = Call::read(&context, file, args, options, context.undefined()?)?;
    let given = if is_nullish(&call.options)? { Object::new(env)?.to_unknown() } else { call.options };
    let ran = run(&context, read_arguments(&context, file, call.args, given)?)?;
    let given = given.coerce_to_object()?;
    let shows_complaint = !is_truthy(&option(&given, c"stdio")?)?;
    let command = || {
        let argv0 = option(&given, c"argv0")?;
        let mut words = elements(&call.args)?;
        words.insert(0, if is_truthy(&argv0)? { argv0 } else { file });
        join(&context, &words)
    };
    output_of(&context, &ran, shows_complaint, command)
}

/// Runs a command line in a shell and returns its output (Node.js documentation, «child_process.execSync»).
#[napi(catch_unwind)]
pub fn exec_sync<'env>(
    env: &'env Env,
    command: Unknown<'env>,
    options: Unknown<'env>,
    host: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = Context::of(env, host);
    let arguments = read_command(&context, command, options)?;
    let shows_complaint = !is_truthy(&arguments.options.get("stdio"))?;
    output_of(&context, &run(&context, arguments)?, shows_complaint, || Ok(command))
}

/// What `spawnSync` returns.
struct Ran<'a> {
    object: Object<'a>,
    error: Option<Object<'a>>,
    is_success: bool,
    stdout: Unknown<'a>,
    stderr: Unknown<'a>,
}

fn output_of<'a>(
    context: &Context<'a>,
    ran: &Ran<'a>,
    shows_complaint: bool,
    command: impl FnOnce() -> Result<Unknown<'a>>,
) -> Result<Unknown<'a>> {
    if shows_complaint && is_truthy(&ran.stderr)? {
        context.hook(c"showComplaint", (ran.stderr,))?;
    }
    let mut failure = match ran.error {
        Some(error) => error,
        None if ran.is_success => return Ok(ran.stdout),
        None => {
            let complaint = text_of(context.env, &ran.stderr)?;
            let separator = if is_truthy(&complaint)? { "\n" } else { "" };
            command_failed(context.env, command()?, &complaint, separator)?
        }
    };
    assign(&mut failure, &ran.object)?;
    Err(napi::Error::from(failure.to_unknown()))
}

fn run<'a>(context: &Context<'a>, arguments: Arguments<'a>) -> Result<Ran<'a>> {
    let normalized = normalize(context, arguments)?;
    let options = &normalized.options;
    let max_buffer = arguments::max_buffer(context, options)?;
    let timeout = options.get("timeout");
    let kill_signal = arguments::check_limits(context, &timeout, &max_buffer, &options.get("killSignal"))?;
    check_permitted(context, &normalized.file)?;
    let [stdio, encoding, given] = ["stdio", "encoding", "input"].map(|name| options.get(name));
    let input = if !is_truthy(&given)? {
        vec![]
    } else if input::is_input(context, &given)? {
        input::to_bytes(context, &given, &encoding)?
    } else {
        stdio::plan_sync(context, stdio)?;
        return Err(input::invalid(context, &given));
    };
    registry::flush_all();
    let plan = stdio::plan_sync(context, stdio)?;
    let started = Started { file: normalized.file, args: normalized.args };
    let command = Plain::of(normalized).into_sync_command(context)?;
    let limits = limits(&max_buffer, &timeout, kill_signal)?;
    let result = make_ends(&plan, &input)
        .map_err(|error| sys::errno(&error))
        .and_then(|(ends, stdio)| capture::run(Command { stdio, ..command }, ends, limits));
    forking::warn(context.env);
    to_object(context, result, started, &encoding)
}

fn make_ends<'a>(plan: &[(bool, Entry)], input: &'a [u8]) -> io::Result<(Vec<End<'a>>, Vec<Stdio>)> {
    let mut ends = vec![];
    let mut stdio = vec![];
    for (target, (is_read, entry)) in plan.iter().enumerate() {
        let (end, childs) = match command::without_pipe(target, *entry) {
            Some(stdio) => (End::None, stdio),
            None => {
                let (ours, childs): (OwnedFd, OwnedFd) = sys::stream_pair()?;
                (
                    if *is_read { End::Input(ours, input.into()) } else { End::Output(ours) },
                    Stdio::Pipe(childs),
                )
            }
        };
        ends.push(end);
        stdio.push(childs);
    }
    Ok((ends, stdio))
}

/// The positive errno of a failed run.
fn errno(result: &std::result::Result<Finished, i32>) -> Option<i32> {
    match result {
        Err(errno) => Some(*errno),
        Ok(finished) => match finished.cut {
            Some(Cut::TimedOut) => Some(libc::ETIMEDOUT),
            Some(Cut::TooLong(_)) => Some(libc::ENOBUFS),
            None => finished.ending.err().or(finished.failure.map(|failure| failure.errno)),
        },
    }
}

/// The exit code, `null` where a signal ended the process; and the signal's name, `null` where none did.
fn ending<'a>(env: &'a Env, finished: Option<&Finished>) -> Result<(Unknown<'a>, Unknown<'a>)> {
    let exit = finished.and_then(|finished| finished.ending.ok());
    let code = match exit {
        Some(exit) if exit.signal == 0 => engine::number(env, f64::from(exit.code))?,
        _ => engine::null(env)?,
    };
    let signal = match exit {
        // Real-time signals have no name in Node.
        Some(exit) if exit.signal != 0 => {
            engine::string(env, signal::name(exit.signal).unwrap_or_default().as_bytes())?
        }
        _ => engine::null(env)?,
    };
    Ok((code, signal))
}

/// What a run returns to JavaScript.
fn to_object<'a>(
    context: &Context<'a>,
    result: std::result::Result<Finished, i32>,
    started: Started<'a>,
    encoding: &Unknown<'a>,
) -> Result<Ran<'a>> {
    let env = context.env;
    let mut object = Object::new(env)?;
    let error = errno(&result).map(|errno| started.failed(context, errno, "spawnSync")).transpose()?;
    if let Some(error) = &error {
        object.set_c_named_property(c"error", *error)?;
    }
    let finished = result.ok();
    let (status, signal) = ending(env, finished.as_ref())?;
    object.set_c_named_property(c"status", status)?;
    object.set_c_named_property(c"signal", signal)?;
    let is_success = finished
        .as_ref()
        .is_some_and(|finished| finished.ending.is_ok_and(|exit| exit.signal == 0 && exit.code == 0));
    let nothing = if context.node >= 22 { engine::undefined(env)? } else { engine::null(env)? };
    let (mut stdout, mut stderr) = (nothing, nothing);
    match finished {
        Some(finished) => {
            let decoded = |output: Option<Vec<u8>>| match output {
                Some(bytes) => decode(env, bytes, encoding),
                None => engine::null(env),
            };
            let outputs = finished.outputs.into_iter().map(decoded).collect::<Result<Vec<_>>>()?;
            let undefined = engine::undefined(env)?;
            stdout = outputs.get(1).copied().unwrap_or(undefined);
            stderr = outputs.get(2).copied().unwrap_or(undefined);
            object.set_c_named_property(c"output", engine::array(env, &outputs)?)?;
            object.set_c_named_property(c"pid", finished.pid)?;
        }
        None => {
            object.set_c_named_property(c"output", engine::null(env)?)?;
            object.set_c_named_property(c"pid", 0)?;
        }
    }
    object.set_c_named_property(c"stdout", stdout)?;
    object.set_c_named_property(c"stderr", stderr)?;
    Ok(Ran { object, error, is_success, stdout, stderr })
}

/// Options that have been checked; 0 is no limit.
fn limits(max_buffer: &Unknown, timeout: &Unknown, kill_signal: Option<i32>) -> Result<Limits> {
    let (bytes, milliseconds) = (number(max_buffer)?, number(timeout)?);
    Ok(Limits {
        bytes: if bytes > 0.0 { bytes as u64 } else { u64::MAX },
        timeout: (milliseconds > 0.0).then(|| Duration::from_millis(milliseconds as u64)),
        kill_signal: kill_signal.unwrap_or(libc::SIGTERM),
    })
}

fn number(value: &Unknown) -> Result<f64> {
    if is_nullish(value)? { Ok(0.0) } else { value.coerce_to_number()?.get_double() }
}
