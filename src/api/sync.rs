//! `spawnSync`, `execFileSync`, `execSync`: run a process to its end while JavaScript waits.

use std::borrow::Cow;
use std::mem;
use std::time::Duration;

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use super::channel::registry;
use super::decoding::decode;
use super::forking;
use super::results::{self, Program, assign, check_permitted, command_failed, text_of};
use super::runtime;
use super::spawn::read_arguments;
use crate::capture::{self, End, Finished, Limits, Problem};
use crate::engine;
use crate::launch::{Command, Stdio};
use crate::options::arguments::{self, Arguments};
use crate::options::call::{Call, read_command};
use crate::options::command::{self, Plain};
use crate::options::normalize::{elements, join, normalize};
use crate::options::stdio::{self, Entry};
use crate::options::{Context, input, is_nullish, is_truthy, option};
use crate::sys::{self, Exit};

/// Starts `file` and waits until it has exited (Node.js documentation, «child_process.spawnSync»). `host.hooks` are the
/// functions of `lib/process/hooks.js`.
#[napi(catch_unwind)]
pub fn spawn_sync<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    host: Option<Object<'env>>,
) -> Result<Object<'env>> {
    let context = runtime::context(env, host)?;
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
    let context = runtime::context(env, host)?;
    let call = Call::read(&context, file, args, options, context.undefined()?)?;
    let given = if is_nullish(&call.options)? { Object::new(env)?.to_unknown() } else { call.options };
    let ran = run(&context, read_arguments(&context, file, call.args, given)?)?;
    let given = given.coerce_to_object()?;
    let shows_stderr = !is_truthy(&option(&given, c"stdio")?)?;
    let command = || {
        let argv0 = option(&given, c"argv0")?;
        let mut words = elements(&call.args)?;
        words.insert(0, if is_truthy(&argv0)? { argv0 } else { file });
        join(&context, &words)
    };
    output_of(&context, &ran, shows_stderr, command)
}

/// Runs a command line in a shell and returns its output (Node.js documentation, «child_process.execSync»).
#[napi(catch_unwind)]
pub fn exec_sync<'env>(
    env: &'env Env,
    command: Unknown<'env>,
    options: Unknown<'env>,
    host: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = runtime::context(env, host)?;
    let arguments = read_command(&context, command, options)?;
    let shows_stderr = !arguments.options.is_truthy("stdio")?;
    output_of(&context, &run(&context, arguments)?, shows_stderr, || Ok(command))
}

/// What `spawnSync` returns, and parts of that.
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
    shows_stderr: bool,
    command: impl FnOnce() -> Result<Unknown<'a>>,
) -> Result<Unknown<'a>> {
    if shows_stderr && is_truthy(&ran.stderr)? {
        context.hook(c"showStderr", (ran.stderr,))?;
    }
    let mut failure = match ran.error {
        Some(error) => error,
        None if ran.is_success => return Ok(ran.stdout),
        None => {
            let stderr = text_of(context.env, &ran.stderr)?;
            let separator = if is_truthy(&stderr)? { "\n" } else { "" };
            command_failed(context.env, command()?, &stderr, separator)?
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
        // As with the builtin, an error in `stdio` goes first.
        stdio::plan_sync(context, stdio)?;
        return Err(input::invalid(context, &given));
    };
    registry::flush_all();
    let plan = stdio::plan_sync(context, stdio)?;
    let program = Program { file: normalized.file, words: normalized.words.clone() };
    let command = Plain::of(normalized).into_sync_command(context)?;
    let limits = limits(&max_buffer, &timeout, kill_signal)?;
    let result = make_ends(&plan, Cow::Borrowed(&input))
        .and_then(|(ends, stdio)| capture::run(Command { stdio, ..command }, ends, limits));
    forking::warn(context.env);
    to_object(context, result, program, &encoding)
}

/// Creates the pipes for these descriptors: our ends, and what the child gets. `bool`: whether the child reads `input`
/// there; one may.
///
/// # Errors
/// No more descriptors.
fn make_ends<'a>(
    plan: &[(bool, Entry)],
    mut input: Cow<'a, [u8]>,
) -> std::result::Result<(Vec<End<'a>>, Vec<Stdio>), Problem> {
    let mut ends = vec![];
    let mut stdio = vec![];
    for (target, (is_read, entry)) in plan.iter().enumerate() {
        let (end, childs) = match command::without_pipe(target, *entry) {
            Some(stdio) => (End::None, stdio),
            None => {
                let (ours, childs) =
                    sys::stream_pair().map_err(|error| Problem::launch(sys::errno(&error)))?;
                let end = if *is_read { End::Input(ours, mem::take(&mut input)) } else { End::Output(ours) };
                (end, Stdio::Pipe(childs))
            }
        };
        ends.push(end);
        stdio.push(childs);
    }
    Ok((ends, stdio))
}

/// The positive errno with which the builtin describes a problem.
fn errno(problem: Problem) -> i32 {
    match problem {
        Problem::TimedOut => libc::ETIMEDOUT,
        Problem::TooLong(_) => libc::ENOBUFS,
        Problem::Failed { errno, .. } => errno,
    }
}

/// What `spawnSync` returns to JavaScript.
fn to_object<'a>(
    context: &Context<'a>,
    result: std::result::Result<Finished, Problem>,
    program: Program<'a>,
    encoding: &Unknown<'a>,
) -> Result<Ran<'a>> {
    let env = context.env;
    let mut object = Object::new(env)?;
    let (finished, problem) = match result {
        Ok(finished) => {
            let problem = finished.problem;
            (Some(finished), problem)
        }
        Err(problem) => (None, Some(problem)),
    };
    let error = problem.map(|problem| program.failed(context, errno(problem), "spawnSync")).transpose()?;
    if let Some(error) = &error {
        object.set_c_named_property(c"error", *error)?;
    }
    let exit = finished.as_ref().and_then(|finished| finished.exit);
    let [status, signal] = results::exit_values(env, exit)?;
    object.set_c_named_property(c"status", status)?;
    object.set_c_named_property(c"signal", signal)?;
    let is_success = exit == Some(Exit { code: 0, signal: 0 });
    let pid = finished.as_ref().map_or(0, |finished| finished.pid);
    let decoded = |output: Option<Vec<u8>>| match output {
        Some(bytes) => decode(env, bytes, encoding),
        None => engine::null(env),
    };
    let outputs =
        finished.map(|finished| finished.outputs.into_iter().map(decoded).collect::<Result<Vec<_>>>());
    let (output, outputs) = match outputs.transpose()? {
        Some(outputs) => (engine::array(env, &outputs)?, outputs),
        None if context.node >= 22 => (engine::null(env)?, vec![]),
        None => (engine::null(env)?, vec![engine::null(env)?; 3]),
    };
    let undefined = engine::undefined(env)?;
    let [stdout, stderr] = [1, 2].map(|index| outputs.get(index).copied().unwrap_or(undefined));
    object.set_c_named_property(c"output", output)?;
    object.set_c_named_property(c"pid", pid)?;
    object.set_c_named_property(c"stdout", stdout)?;
    object.set_c_named_property(c"stderr", stderr)?;
    Ok(Ran { object, error, is_success, stdout, stderr })
}

/// Limits from options that have been checked. 0 sets no limit.
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
