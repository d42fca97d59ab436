//! `spawn` and `fork`: a process started, and watched to its end.

use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::{Array, FromNapiValue, Function, JsObjectValue, JsValue, Object};
use napi::{Env, Error, Result, Unknown, ValueType};
use napi_derive::napi;

use super::forking;
use super::link::Link;
use super::process::{Argv, Child, Plan, ProcessObject, Start};
use super::runtime;
use crate::engine::{self, Held};
use crate::launch::Command;
use crate::options::arguments::Arguments;
use crate::options::channel::{self, Channel};
use crate::options::command::{self, Args, Env as EnvPairs, Plain};
use crate::options::fork::{self, Forked};
use crate::options::given::Options;
use crate::options::normalize::{Normalized, normalize};
use crate::options::stdio::{self, Entry};
use crate::options::{Context, is_nullish, is_truthy, kind, option};
use crate::sys;

/// Starts `file` (Node.js documentation, «child_process.spawn»). Calls methods of `events`, all of which are optional:
/// `onspawn()` when the exec is confirmed, if `awaitExec` was called; `onexit(code, signal)` when the process has
/// exited; `onexit(-errno, null, syscall)` if the exec has failed (`spawn`) or nobody can know how the process ended
/// (`wait`).
///
/// The process has the properties `pid`, or a negative `errno` if nothing was started; `spawnfile` and `spawnargs`;
/// `pipes`, which tells the child's pipes; `timeout`, `signal` and, as a number, `killSignal` if they were given;
/// `borrowed`, the streams of this process that the child reads or writes.
///
/// If stdio asks for a channel and `events.runtime` is a result of `open`, the channel is open when this returns, and
/// keeps the event loop alive. The object that `events.onchannel()` returns becomes the channel. Without that method,
/// the process gets a new `channel`, which reports to `events`.
///
/// `lib/` passes as `events` an object that is to become the process. It is recognised by a boolean property,
/// `inheritsEnvironment`: whether a child without `options.env` simply inherits the environment. Then
/// - the result is a number, see `Started`;
/// - the process has `pipes` only if there are more than three descriptors;
/// - after `spawn` it has `spawnfile` and `spawnargs` only if they are not `file`, and `file` followed by `args`;
/// - the caller has to end the process when the AbortSignal `signal` is aborted.
///
/// Throws what Node throws.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn spawn<'env>(
    env: &'env Env,
    file: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    events: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = runtime::context(env, events)?.knowing_inheritance()?;
    let normalized = normalize(&context, read_arguments(&context, file, args, options)?)?;
    let argv = Argv::of(&context, &normalized)?;
    start_normalized(&context, events, normalized, argv, None, None)
}

/// Starts the Node module `modulePath` with a channel (Node.js documentation, «child_process.fork»); the rest is as
/// with `spawn`.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn fork<'env>(
    env: &'env Env,
    module_path: Unknown<'env>,
    args: Unknown<'env>,
    options: Unknown<'env>,
    events: Option<Object<'env>>,
) -> Result<Unknown<'env>> {
    let context = runtime::context(env, events)?.knowing_inheritance()?;
    let Forked { arguments, exec_argv, is_this_node } = fork::read(&context, module_path, args, options)?;
    let normalized = normalize(&context, arguments)?;
    let argv = Argv::Array(normalized.args(&context)?);
    start_normalized(&context, events, normalized, argv, is_this_node.then_some(exec_argv), None)
}

/// Starts a process from normalised options. `process` becomes it, as with `spawn`; `process.mayBeNative`: whether the
/// child may have a native end of a channel. `onChecked()` is called between the checks and the launch.
///
/// Throws what `ChildProcess.prototype.spawn` throws.
#[napi(catch_unwind, ts_return_type = "Started")]
pub fn launch<'env>(
    env: &'env Env,
    options: Unknown<'env>,
    process: Object<'env>,
    on_checked: Option<Function<'env, (), Unknown<'env>>>,
) -> Result<Unknown<'env>> {
    let context = runtime::context(env, Some(process))?;
    if is_nullish(&options)? {
        context.check_object(&options, "options")?;
    }
    let mut object = options.coerce_to_object()?;
    let read = |name| option(&object, name);
    let stdio = read(c"stdio")?;
    let serialization = read(c"serialization")?;
    let [file, args] = [read(c"file")?, read(c"args")?];
    let plain = Plain {
        file,
        args: Args::Given(args),
        env: EnvPairs::Given(read(c"envPairs")?),
        cwd: Some(read(c"cwd")?),
        uid: Some(read(c"uid")?),
        gid: Some(read(c"gid")?),
        detached: Some(read(c"detached")?),
    };
    context.check_object(&options, "options")?;
    let channel = Channel {
        fd: 0,
        serialization,
        busy_poll: read(c"busyPoll")?,
        max_message_size: read(c"maxMessageSize")?,
        may_be_native: is_truthy(&option(&process, c"mayBeNative")?)?,
    };
    let mut request = Request::new(&context, plain, stdio, channel)?;
    if let EnvPairs::Made(Some(pairs)) = &request.plain.env {
        show_pairs(&mut object, pairs)?;
    }
    request.on_checked = on_checked;
    let args = if is_nullish(&args)? { engine::array(env, &[])? } else { args };
    let Started { process: object, status, pipes } = request.start(Some(process), true)?;
    object.describe(&Start { status, file, argv: Argv::Array(args), pipes, call: None })
}

/// Writes the environment to `options.envPairs`, as the builtin does; into the same array if it is one.
fn show_pairs(options: &mut Object, pairs: &[String]) -> Result<()> {
    let list: Unknown = option(options, c"envPairs")?;
    if !list.is_array()? {
        return options.set_c_named_property(c"envPairs", pairs.to_vec());
    }
    list.coerce_to_object()?.set_c_named_property(c"length", 0)?;
    let mut list = Array::from_unknown(list)?;
    for (index, pair) in (0..).zip(pairs) {
        list.set(index, pair.as_str())?;
    }
    Ok(())
}

/// The arguments of `spawn()`, of which the second may be left out.
pub(super) fn read_arguments<'a>(
    context: &Context<'a>,
    file: Unknown<'a>,
    args: Unknown<'a>,
    options: Unknown<'a>,
) -> Result<Arguments<'a>> {
    let is_options = kind(&args)? == ValueType::Object && !args.is_array()?;
    let (args, given) = if is_options { (context.undefined()?, args) } else { (args, options) };
    Ok(Arguments { file, args, given, options: Options::read(context, &given)? })
}

/// Starts a process. `exec_argv`: for `fork`, if the child runs this Node; `exec`: the plan and the call of `execFile`.
pub(super) fn start_normalized<'a>(
    context: &Context<'a>,
    events: Option<Object<'a>>,
    normalized: Normalized<'a>,
    argv: Argv<'a>,
    exec_argv: Option<Vec<Unknown<'a>>>,
    exec: Option<(Plan, Unknown<'a>)>,
) -> Result<Unknown<'a>> {
    let options = &normalized.options;
    let (plan, call) = exec.unzip();
    let mut plan = Plan::read(context, options, plan)?;
    let [timeout, signal] = ["timeout", "signal"].map(|name| options.given(name).copied());
    let stdio = options.get("stdio");
    let mut channel = Channel {
        fd: 0,
        serialization: options.get("serialization"),
        busy_poll: options.get("busyPoll"),
        max_message_size: options.get("maxMessageSize"),
        may_be_native: false,
    };
    let file = normalized.file;
    let mut plain = Plain::of(normalized);
    if let Some(exec_argv) = exec_argv {
        let pairs = plain.env.take_list()?;
        channel.may_be_native = channel::may_be_native(context, &exec_argv, &pairs)?;
        plain.env = EnvPairs::Made(Some(pairs));
    }
    let is_process = context.inherits_environment.is_some();
    let request = Request::new(context, plain, stdio, channel)?;
    let Started { process, status, pipes } = request.start(events, is_process)?;
    if process.is_alone
        && let Some(child) = process.child()
    {
        if let Some(call) = &call {
            child.keep_call(Held::new(context.env, call)?);
        }
        if status < 0 {
            // There is nothing to kill. But when this timer has elapsed, the callback of `exec` gets the error: not before
            // this function has returned.
            plan.timeout = plan.capture.as_ref().map(|_| Duration::ZERO);
            child.set_failed(-status);
        } else if let Some(signal) = &signal
            && kind(signal)? == ValueType::Object
        {
            child.end_on_abort(context, signal)?;
        }
    }
    process.follow(&plan, true)?;
    for (name, value) in [(c"timeout", timeout), (c"signal", signal)] {
        if let Some(value) = value
            && kind(&value)? != ValueType::Undefined
        {
            process.set(name, &value)?;
        }
    }
    if let Some(number) = plan.abort_signal {
        process.set(c"killSignal", &engine::number(context.env, number.into())?)?;
    }
    process.describe(&Start { status, file, argv, pipes, call })
}

/// A process to be started: its options, which `new` checks.
struct Request<'a> {
    context: Context<'a>,
    plain: Plain<'a>,
    stdio: Unknown<'a>,
    entries: Vec<Entry>,
    channel: Channel<'a>,
    secret: Option<String>,
    on_checked: Option<Function<'a, (), Unknown<'a>>>,
}

impl<'a> Request<'a> {
    fn new(
        context: &Context<'a>,
        plain: Plain<'a>,
        stdio: Unknown<'a>,
        channel: Channel<'a>,
    ) -> Result<Self> {
        let entries = stdio::plan(context, stdio)?;
        command::check_serialization(context, &channel.serialization)?;
        plain.check(context, &entries)?;
        let (secret, on_checked) = Default::default();
        let mut request = Self { context: *context, plain, stdio, entries, channel, secret, on_checked };
        if let Some(fd) = request.channel_fd() {
            request.channel.fd = fd;
            let mut pairs = request.plain.env.take_list()?;
            request.secret = request.channel.announce(context, &mut pairs)?;
            request.plain.env = EnvPairs::Made(Some(pairs));
        }
        Ok(request)
    }

    fn channel_fd(&self) -> Option<usize> {
        self.entries.iter().position(|entry| *entry == Entry::Channel)
    }

    /// `is_process`: whether `events` becomes the process.
    fn start(self, events: Option<Object<'a>>, is_process: bool) -> Result<Started<'a>> {
        let Self { context, plain, stdio, entries, channel, secret, on_checked } = self;
        let env = context.env;
        let command = plain.into_command(&context)?;
        if let Some(on_checked) = on_checked {
            on_checked.call(())?;
        }
        let process = ProcessObject::of(env, events.filter(|_| is_process))?;
        let (child, status) = match runtime::of(env)?.reactor(env) {
            Ok(reactor) => {
                let child = Child::new(&reactor, process.is_alone);
                let link = match events {
                    Some(events) if entries.contains(&Entry::Channel) => {
                        Link::new(&context, events, &channel, secret)?
                    }
                    _ => None,
                };
                if process.is_alone
                    && let Some(link) = &link
                {
                    process.set(c"channel", &link.object)?;
                }
                let status = match start_child(env, &child, command, &entries, link.as_ref()) {
                    Ok(pid) => pid,
                    Err(Failure::System(errno)) => -errno,
                    Err(Failure::Node(error)) => return Err(error),
                };
                if status > 0
                    && let Some(events) = events
                {
                    child.listen(env, &events.to_unknown())?;
                }
                (Some(child), status)
            }
            Err(error) => (None, -sys::errno(&error)),
        };
        forking::warn(env);
        process.set_child(child);
        let pipes = entries.iter().map(|entry| *entry == Entry::Pipe).collect();
        let borrowed = borrowed(&stdio, &entries)?;
        if !borrowed.is_empty() {
            process.set(c"borrowed", &engine::array(env, &borrowed)?)?;
        }
        Ok(Started { process, status, pipes })
    }
}

/// Why a child could not be started.
enum Failure {
    /// A positive errno.
    System(i32),
    Node(Error),
}

/// Starts a child. If there is no such program, or not the permission to run it or the resources, the builtin emits
/// `'error'` later, and until then its child has a channel, to nobody. So `link` stays open. After other failures it is
/// closed.
fn start_child(
    env: &Env,
    child: &Rc<Child>,
    command: Command,
    entries: &[Entry],
    link: Option<&Link>,
) -> std::result::Result<i32, Failure> {
    let started = child.open_pipes(entries).map_err(Failure::System).and_then(|stdio| {
        link.map_or(Ok(()), |link| link.open(env, child)).map_err(Failure::Node)?;
        child.start(Command { stdio, ..command }).map_err(Failure::System)
    });
    let has_channel = match &started {
        Ok(_) => true,
        Err(Failure::System(errno)) => matches!(*errno, libc::EACCES | libc::EAGAIN | libc::ENOENT),
        Err(Failure::Node(_)) => false,
    };
    if let Some(link) = link
        && !has_channel
    {
        link.channel.abandon();
    }
    started
}

/// A process that has been started, or could not be.
struct Started<'a> {
    process: ProcessObject<'a>,
    /// Its pid, or a negative errno.
    status: i32,
    /// Which of the child's descriptors are pipes.
    pipes: Vec<bool>,
}

/// The streams among the entries of `options.stdio`.
fn borrowed<'a>(stdio: &Unknown<'a>, entries: &[Entry]) -> Result<Vec<Unknown<'a>>> {
    let is_stream = |(_, entry): &(u32, &Entry)| matches!(entry, Entry::Stream(_));
    let streams = (0..).zip(entries).filter(is_stream);
    streams.map(|(index, _)| Array::from_unknown(*stdio)?.get_element(index)).collect()
}
