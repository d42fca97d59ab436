//! The promise functions: run a process to its end on tokio, including its launch. JavaScript is called once, at the end.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use napi::bindgen_prelude::{Function, JsObjectValue, JsValue, Object};
use napi::{Env, Error, Result, Unknown, ValueType};
use napi_derive::napi;
use tokio::sync::oneshot;

use super::decoding::decode;
use super::forking;
use super::results::{self, Program, assign, check_permitted, is_aborted};
use super::runtime;
use super::sync::{limits, make_ends};
use crate::background::{self, AtEnd};
use crate::capture::{self, Finished, Limits, Problem};
use crate::engine::{self, Held};
use crate::launch::{Command, Strings};
use crate::options::arguments::{self, Arguments};
use crate::options::call::{Call, read_command};
use crate::options::command::Plain;
use crate::options::given::Options;
use crate::options::normalize::{elements, join, normalize};
use crate::options::stdio::Entry;
use crate::options::{Context, input, is_nullish, kind};
use crate::reactor::{Callback, KeepAlive, Reactor, Registration, Source, Turn, Work};
use crate::sys::{self, Exit};

type RunResult = std::result::Result<Finished, Problem>;

/// The result of a run, and how long it took.
struct Outcome {
    result: RunResult,
    duration_ms: f64,
}

/// A run, until its outcome has been passed to JavaScript.
struct Run {
    reactor: Rc<Reactor>,
    thread: RefCell<Option<Registration>>,
    keep_alive: KeepAlive<Reactor>,
    callback: RefCell<Option<Callback>>,
    /// The array `[command line, encoding, signal, file, argv]`.
    kept: Held,
    /// The most bytes of an output.
    limit: u64,
    outcome: RefCell<oneshot::Receiver<Outcome>>,
    /// Dropped to cancel the run.
    cancel: RefCell<Option<oneshot::Sender<()>>>,
}

impl Run {
    fn finish(&self, env: &Env) -> Result<()> {
        forking::warn(env);
        // If there is none, the task has panicked.
        let outcome = self.outcome.borrow_mut().try_recv();
        let failed = |_| Outcome { result: Err(Problem::launch(libc::EIO)), duration_ms: 0.0 };
        self.cancel.take();
        let Some(callback) = self.callback.take() else {
            return Ok(());
        };
        if self.thread.take().is_some() {
            self.keep_alive.set_work(Work::Over);
        }
        let context = Context::of(env, Some(callback.receiver(env)?.coerce_to_object()?));
        let arguments = match self.describe(&context, outcome.unwrap_or_else(failed)) {
            Ok(described) => described,
            // For example, an output is too long for a string.
            Err(error) => {
                let thrown = engine::take_exception(env);
                let thrown = thrown.unwrap_or_else(|| napi::JsError::from(error).into_unknown(*env));
                [thrown, engine::undefined(env)?]
            }
        };
        callback.call(c"onfinish", &arguments).map(drop)
    }

    /// The error and the result.
    fn describe<'a>(&self, context: &Context<'a>, outcome: Outcome) -> Result<[Unknown<'a>; 2]> {
        let env = context.env;
        let Outcome { result, duration_ms } = outcome;
        let [command, encoding, signal, file, args] =
            <[Unknown; 5]>::try_from(elements(&self.kept.get(env)?)?)
                .map_err(|_| Error::from_reason("what is kept of a run"))?;
        let (exit, usage, mut outputs, problem) = match result {
            Ok(Finished { exit, usage, outputs, problem, .. }) => (exit, Some(usage), outputs, problem),
            Err(problem) => (None, None, vec![], Some(problem)),
        };
        let [code, ended_by] = results::exit_values(env, exit)?;
        let mut output = |index: usize| {
            let mut bytes = outputs.get_mut(index).and_then(Option::take).unwrap_or_default();
            bytes.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
            decode(env, bytes, &encoding)
        };
        let (stdout, stderr) = (output(1)?, output(2)?);
        let mut object = Object::new(env)?;
        object.set_c_named_property(c"stdout", stdout)?;
        object.set_c_named_property(c"stderr", stderr)?;
        object.set_c_named_property(c"exitCode", code)?;
        object.set_c_named_property(c"signal", ended_by)?;
        object.set_c_named_property(c"durationMs", duration_ms)?;
        let mut used = engine::null(env)?;
        if let Some(usage) = usage {
            let mut object = Object::new(env)?;
            object.set_c_named_property(c"userCPUTime", usage.user.as_micros() as f64)?;
            object.set_c_named_property(c"systemCPUTime", usage.system.as_micros() as f64)?;
            object.set_c_named_property(c"maxRSS", usage.max_rss as f64)?;
            used = object.to_unknown();
        }
        object.set_c_named_property(c"resourceUsage", used)?;

        let error = match problem {
            Some(Problem::Cancelled) => Some(context.aborted(&signal)?),
            // A command need not read all of its input.
            None | Some(Problem::Failed { call: "write", errno: libc::EPIPE | libc::ECONNRESET }) => None,
            Some(problem) => results::error_of(context, problem, Program { file, args })?,
        };
        let is_timed_out = problem == Some(Problem::TimedOut);
        let is_success = exit == Some(Exit { code: 0, signal: 0 });
        let mut error = match error {
            Some(error) => error,
            None if is_success && !is_timed_out => return Ok([engine::null(env)?, object.to_unknown()]),
            None => {
                let mut failed = results::command_failed(env, command, &stderr, "\n")?;
                failed.set_c_named_property(c"code", code)?;
                failed.set_c_named_property(c"killed", is_timed_out)?;
                failed
            }
        };
        assign(&mut error, &object)?;
        error.set_c_named_property(c"cmd", command)?;
        Ok([error.to_unknown(), object.to_unknown()])
    }

    /// Kills the process, if it still runs.
    fn cancel(&self) {
        self.cancel.take();
    }

    /// Has tokio run `command`.
    ///
    /// # Errors
    /// There is no thread or no descriptor for that.
    fn start(self: &Rc<Self>, command: Command, input: Option<Vec<u8>>, limits: Limits) -> io::Result<()> {
        let background = background::runtime()?;
        let (cancel, cancelled) = oneshot::channel();
        self.cancel.replace(Some(cancel));
        let (thread, wake) =
            self.reactor.register_thread(Turn::WithIo, Rc::new(FinishSource(Rc::clone(self))))?;
        self.thread.replace(Some(thread));
        self.keep_alive.set_work(Work::Pending);
        let called = Instant::now();
        let (outcome, receiver) = oneshot::channel();
        self.outcome.replace(receiver);
        let wake = AtEnd::new(wake);
        background.spawn(async move {
            let _wake = wake;
            let begun = Instant::now();
            // The timeout counts from the call, not from the start of this task.
            let timeout = limits.timeout.map(|timeout| timeout.saturating_sub(called.elapsed()));
            let result = run_to_end(command, input, Limits { timeout, ..limits }, cancelled).await;
            let duration_ms = begun.elapsed().as_secs_f64() * 1000.0;
            // The receiver is gone if the environment has shut down.
            let _ = outcome.send(Outcome { result, duration_ms });
        });
        Ok(())
    }
}

struct FinishSource(Rc<Run>);

impl Source for FinishSource {
    fn ready(&self, env: &Env, _is_over: bool) {
        let _ = self.0.finish(env);
    }

    fn shut_down(&self) {
        self.0.callback.take();
        self.0.cancel();
    }
}

/// Runs `file` off the event loop, with the options of `execFile` and `input`. Calls `events.onfinish(error, result)` at its
/// end: the error, or null, is what `execFile` calls back with, and has all of the result, too. The result has `stdout`,
/// `stderr`, `exitCode`, `signal`, `durationMs` and `resourceUsage`: `userCPUTime` and `systemCPUTime` in microseconds,
/// `maxRSS` in kilobytes.
///
/// Without `input` the child reads the null device. Returns a function that kills the process and ends the run.
///
/// Throws what Node throws, and an AbortError where `options.signal` has been aborted already.
#[napi(catch_unwind)]
pub fn run<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    events: Object<'env>,
) -> Result<Function<'env, (), ()>> {
    let context = Context::of(env, Some(events));
    let call = Call::read(&context, file, args, options, context.undefined()?)?;
    let options = Options::read(&context, &call.options)?;
    begin(&context, Arguments { file, args: call.args, given: context.undefined()?, options }, events)
}

/// The same for a command line, in a shell.
#[napi(catch_unwind)]
pub fn run_command<'env>(
    env: &'env Env,
    command: Unknown<'env>,
    options: Unknown<'env>,
    events: Object<'env>,
) -> Result<Function<'env, (), ()>> {
    let context = Context::of(env, Some(events));
    begin(&context, read_command(&context, command, options)?, events)
}

fn begin<'a>(
    context: &Context<'a>,
    arguments: Arguments<'a>,
    events: Object<'a>,
) -> Result<Function<'a, (), ()>> {
    let env = context.env;
    let options = &arguments.options;
    let max_buffer = arguments::max_buffer(context, options)?;
    let encoding = options.get_or("encoding", engine::string(env, b"utf8")?);
    let [timeout, signal, given] = ["timeout", "signal", "input"].map(|name| options.get(name));
    let kill_signal = arguments::check_limits(context, &timeout, &max_buffer, &options.get("killSignal"))?;
    context.check_abort_signal(&signal)?;
    let mut words = elements(&arguments.args)?;
    words.insert(0, arguments.file);
    let file = arguments.file;
    let normalized = normalize(context, arguments)?;
    check_permitted(context, &file)?;
    if is_aborted(&signal)? {
        return Err(Error::from(context.aborted(&signal)?.to_unknown()));
    }
    let encoding = if input::is_encoding(&encoding)? { encoding } else { context.undefined()? };
    let input = if is_nullish(&given)? { None } else { Some(input::to_bytes(context, &given, &encoding)?) };
    let mut limits = limits(&max_buffer, &timeout, kill_signal)?;
    // Node's exec takes 0 for the least, and its spawnSync for no limit.
    if kind(&max_buffer)? == ValueType::Number && max_buffer.coerce_to_number()?.get_double()? == 0.0 {
        limits.bytes = 0;
    }
    let program = Program { file: normalized.file, args: normalized.args };
    let kept = [join(context, &words)?, encoding, signal, normalized.file, normalized.args];
    let kept = Held::new(env, &engine::array(env, &kept)?)?;
    let mut command = Plain::of(normalized).into_command(context)?;
    // A copy: this thread may change the environment before the other launches the command.
    command.env.get_or_insert_with(|| {
        let mut strings = Strings::new();
        sys::for_each_env(|entry| strings.push(entry.to_bytes()));
        strings
    });
    let reactor = runtime::of(env)?.reactor(env).map_err(|error| program.thrown(context, &error))?;
    let run = Rc::new(Run {
        keep_alive: KeepAlive::new(Rc::clone(&reactor)),
        reactor,
        thread: RefCell::default(),
        callback: RefCell::new(Some(Callback::new(env, &events, "PROCESSWRAP")?)),
        kept,
        limit: limits.bytes,
        outcome: RefCell::new(oneshot::channel().1),
        cancel: RefCell::default(),
    });
    run.start(command, input, limits).map_err(|error| program.thrown(context, &error))?;
    env.create_function_from_closure("cancel", move |_| {
        run.cancel();
        Ok(())
    })
}

async fn run_to_end(
    command: Command,
    input: Option<Vec<u8>>,
    limits: Limits,
    cancelled: oneshot::Receiver<()>,
) -> RunResult {
    let stdin = if input.is_some() { Entry::Pipe } else { Entry::Ignore };
    let plan = [(true, stdin), (false, Entry::Pipe), (false, Entry::Pipe)];
    let (ends, stdio) = make_ends(&plan, Cow::Owned(input.unwrap_or_default()))?;
    capture::run_in_background(Command { stdio, ..command }, ends, limits, cancelled).await
}
