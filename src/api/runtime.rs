//! One loaded copy of the addon: its hooks into JavaScript, its reactor, and the processes it has started.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::{Buffer, FnArgs, Function, FunctionRef, Object, ObjectRef};
use napi::{Env, JsString, Result, Unknown, sys as sys_napi};
use napi_derive::napi;

use super::channel::Hooks as ChannelHooks;
use super::off_loop::OffLoop;
pub(super) use super::process::Listeners;
use super::process::{Child, ExitArguments, Failure, OutputArguments};
use crate::engine;
use crate::launch::inherited;
use crate::options::arguments::{self, Arguments};
use crate::options::command::{self, Normalized};
use crate::options::stdio::Entry;
use crate::options::{Context, signal};
use crate::reactor::{self, Reactor};
use crate::sys;

/// Names a process to JavaScript; never used twice.
type Id = i64;

/// What JavaScript has of one of the child's descriptors.
#[derive(Clone, Copy)]
#[repr(i32)]
enum End {
    None = 0,
    Pipe = 1,
    Stream = 2,
}

/// What one loaded copy of `lib/` has here.
pub(super) struct Runtime {
    env: sys_napi::napi_env,
    hooks: ObjectRef<false>,
    pub(super) listeners: Rc<Listeners>,
    node: u32,
    reactor: OnceCell<Rc<Reactor>>,
    children: RefCell<HashMap<Id, Rc<Child>>>,
    /// What runs off the loop, and can be cancelled.
    pub(super) runs: RefCell<HashMap<Id, Rc<OffLoop>>>,
    last_id: Cell<Id>,
    /// What channels call, once there has been one.
    pub(super) channel_hooks: RefCell<Option<Rc<ChannelHooks>>>,
}

impl Runtime {
    pub(super) fn context<'a>(&self, env: &'a Env) -> Result<Context<'a>> {
        Ok(Context::new(self.hooks.get_value(env)?, self.node))
    }

    /// The reactor, made when the first process is; copies of `lib/` in one environment share it.
    pub(super) fn reactor(&self, env: &Env) -> io::Result<Rc<Reactor>> {
        if let Some(reactor) = self.reactor.get() {
            return Ok(Rc::clone(reactor));
        }
        let shared = RUNTIMES.with_borrow(|runtimes| {
            let others = runtimes.iter().flatten().filter(|other| other.env == self.env);
            others.filter_map(|other| other.reactor.get().cloned()).next()
        });
        let reactor = match shared {
            Some(reactor) => reactor,
            None => Reactor::new(env)?,
        };
        Ok(Rc::clone(self.reactor.get_or_init(|| reactor)))
    }

    pub(super) fn next_id(&self) -> Id {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    fn child(&self, id: Id) -> Option<Rc<Child>> {
        self.children.borrow().get(&id).cloned()
    }
}

thread_local! {
    /// The runtimes of this thread, by the number that `open` gave. A call that names one by number costs a tenth of
    /// one that unwraps an object of a native class.
    static RUNTIMES: RefCell<Vec<Option<Rc<Runtime>>>> = const { RefCell::new(vec![]) };
}

pub(super) fn runtime(number: u32) -> Result<Rc<Runtime>> {
    RUNTIMES
        .with_borrow(|runtimes| runtimes.get(number as usize).cloned().flatten())
        .ok_or_else(|| napi::Error::from_reason("child-process-rs: not open"))
}

fn child(number: u32, id: Id) -> Option<Rc<Child>> {
    runtime(number).ok()?.child(id)
}

/// Begins: `hooks` are the functions of `lib/errors.js`; `onSpawn()` is called on a process's handle when the exec is
/// confirmed, if `awaitExec` asked for it; `onExit(code, signal)` when the process has ended, or
/// `onExit(-errno, null, syscall)` where the exec failed (`spawn`), or its end cannot be known (`wait`);
/// `onOutput(index, isOverLimit, errno)` when an output that is gathered is over; `onFinish(result)` at the end of a run
/// off the loop. Returns the number that every other function takes first.
#[napi(catch_unwind)]
pub fn open(
    env: &Env,
    hooks: ObjectRef<false>,
    on_spawn: FunctionRef<(), ()>,
    on_exit: FunctionRef<ExitArguments, ()>,
    on_output: FunctionRef<OutputArguments, ()>,
    on_finish: FunctionRef<FnArgs<(Object<'static>,)>, ()>,
) -> Result<u32> {
    inherited::note();
    let node = env.get_node_version()?.major;
    let listeners = Rc::new(Listeners { on_spawn, on_exit, on_output, on_finish });
    let (reactor, children, runs, last_id, channel_hooks) = Default::default();
    let opened =
        Runtime { env: env.raw(), hooks, listeners, node, reactor, children, runs, last_id, channel_hooks };
    env.add_env_cleanup_hook(opened.env as usize, close)?;
    RUNTIMES.with_borrow_mut(|runtimes| {
        runtimes.push(Some(Rc::new(opened)));
        Ok(u32::try_from(runtimes.len() - 1).unwrap_or(u32::MAX))
    })
}

/// Forgets the runtimes of an environment that goes away.
fn close(env: usize) {
    // Nobody is there to be told of a panic.
    let _ = engine::caught(|| {
        let of_env = |runtime: &mut Rc<Runtime>| runtime.env as usize == env;
        let gone: Vec<_> = RUNTIMES
            .with_borrow_mut(|runtimes| runtimes.iter_mut().map(|slot| slot.take_if(of_env)).collect());
        // Outside of the borrow: they may own much.
        drop(gone);
    });
}

/// Validates the arguments of `spawn()`.
///
/// Throws what Node throws (Node.js documentation, «child_process.spawn»).
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "JavaScript reads properties faster than N-API does")]
pub fn check(
    number: u32,
    env: &Env,
    file: Unknown,
    args: Unknown,
    options: Unknown,
    cwd: Unknown,
    detached: Unknown,
    uid: Unknown,
    gid: Unknown,
    shell: Unknown,
    argv0: Unknown,
    windows_hide: Unknown,
    windows_verbatim_arguments: Unknown,
) -> Result<()> {
    let arguments = Arguments {
        file,
        args,
        options,
        cwd,
        detached,
        uid,
        gid,
        shell,
        argv0,
        windows_hide,
        windows_verbatim_arguments,
    };
    arguments::check(&runtime(number)?.context(env)?, &arguments)
}

/// Validates the options that may end a child early. Returns the number of `options.killSignal`.
///
/// Throws what Node throws (Node.js documentation, «child_process.spawn»).
#[napi(catch_unwind)]
pub fn check_ending(
    number: u32,
    env: &Env,
    timeout: Unknown,
    signal: Unknown,
    kill_signal: Unknown,
) -> Result<Option<i32>> {
    arguments::check_ending(&runtime(number)?.context(env)?, &timeout, &signal, &kill_signal)
}

/// Validates the command line of `exec()`. Throws what Node throws.
#[napi(catch_unwind)]
pub fn check_command(number: u32, env: &Env, command: Unknown) -> Result<()> {
    arguments::check_command(&runtime(number)?.context(env)?, &command)
}

/// Validates what `execFile()` was called with besides the file and its arguments. Throws what Node throws.
#[napi(catch_unwind)]
pub fn check_call(number: u32, env: &Env, options: Unknown, callback: Unknown) -> Result<()> {
    arguments::check_call(&runtime(number)?.context(env)?, &options, &callback)
}

/// Validates the options that limit a process whose output is gathered. Returns the number of `options.killSignal`.
///
/// Throws what Node throws (Node.js documentation, «child_process.execFile»).
#[napi(catch_unwind)]
pub fn check_limits(
    number: u32,
    env: &Env,
    timeout: Unknown,
    max_buffer: Unknown,
    kill_signal: Unknown,
) -> Result<Option<i32>> {
    arguments::check_limits(&runtime(number)?.context(env)?, &timeout, &max_buffer, &kill_signal)
}

/// Validates what `fork()` was called with. Throws what Node throws.
#[napi(catch_unwind)]
pub fn check_fork(
    number: u32,
    env: &Env,
    module_path: Unknown,
    args: Unknown,
    options: Unknown,
) -> Result<()> {
    arguments::check_fork(&runtime(number)?.context(env)?, &module_path, &args, &options)
}

/// Validates the options of `fork()` that `spawn()` does not have in this form. Throws what Node throws.
#[napi(catch_unwind)]
pub fn check_forked(
    number: u32,
    env: &Env,
    exec_path: Unknown,
    exec_argv: Unknown,
    stdio: Unknown,
) -> Result<()> {
    arguments::check_forked(&runtime(number)?.context(env)?, &exec_path, &exec_argv, &stdio)
}

/// The `NAME=value` strings of an environment, and of `coverage`, the value of `NODE_V8_COVERAGE` to pass on.
///
/// Throws `ERR_INVALID_ARG_VALUE` where a NUL is in it.
#[napi(catch_unwind)]
pub fn env_pairs(number: u32, env: &Env, variables: Object, coverage: Unknown) -> Result<Vec<String>> {
    arguments::env_pairs(&runtime(number)?.context(env)?, &variables, &coverage)
}

/// The number of a signal given by name or number. Throws `ERR_UNKNOWN_SIGNAL`.
#[napi(catch_unwind)]
pub fn signal_number(number: u32, env: &Env, signal: Unknown) -> Result<i32> {
    signal::from_value(&runtime(number)?.context(env)?, &signal)
}

/// Starts the process of `options`, normalised, whose properties follow. `started()` is called between the checks
/// and the launch, the functions given to `open` later on `handle`.
///
/// Returns: the pid, or the negative errno of what failed, and then the pipes are at their end-of-file; an id, to be
/// given to `release` at last; and what there is of each of the child's descriptors: 0 nothing, 1 the other end of a
/// pipe, 2 a stream that must stop reading.
///
/// Throws what `ChildProcess.prototype.spawn` throws.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "JavaScript reads properties faster than N-API does")]
pub fn launch(
    number: u32,
    env: &Env,
    handle: Object,
    options: Unknown,
    stdio: Unknown,
    serialization: Unknown,
    file: Unknown,
    args: Unknown,
    env_pairs: Unknown,
    cwd: Unknown,
    uid: Unknown,
    gid: Unknown,
    detached: Unknown,
    started: Option<Function<(), Unknown>>,
) -> Result<Vec<i64>> {
    let runtime = runtime(number)?;
    let context = runtime.context(env)?;
    context.check_object(&options, "options")?;
    let options = Normalized { file, args, env_pairs, cwd, uid, gid, detached };
    let (command, entries) = command::request(&context, stdio, &serialization, &options)?;
    if let Some(started) = started {
        started.call(())?;
    }
    let id = runtime.next_id();
    let status = match runtime.reactor(env) {
        Ok(reactor) => {
            let child = Child::new(&runtime.listeners, &reactor);
            let started = child.start(env, command, &entries, &handle);
            runtime.children.borrow_mut().insert(id, child);
            match started {
                Ok(pid) => pid,
                Err(Failure::System(errno)) => -errno,
                Err(Failure::Node(error)) => return Err(error),
            }
        }
        Err(error) => -sys::errno(&error),
    };
    let ends = entries.iter().map(|entry| end_of(entry) as Id);
    Ok([Id::from(status), id].into_iter().chain(ends).collect())
}

/// Whether the exec is known to have succeeded. If it isn't known yet, `onSpawn` will be called when it is.
#[napi(catch_unwind)]
pub fn await_exec(number: u32, id: Id) -> bool {
    child(number, id).is_some_and(|child| child.await_exec())
}

/// Calls `onSpawn` now if it is due.
#[napi(catch_unwind)]
pub fn poll_exec(number: u32, id: Id) {
    if let Some(child) = child(number, id) {
        child.poll_exec();
    }
}

/// Calls `function` in the async context of the launch, if the process has not ended. Says whether it did.
#[napi(catch_unwind)]
pub fn call_in_context(number: u32, id: Id, function: Function<(), ()>) -> Result<bool> {
    child(number, id).map_or(Ok(false), |child| child.call_in_context(&function))
}

/// Hands over the parent's end of the child's descriptor `index`, to be closed by the caller; -1 where there is none.
#[napi(catch_unwind)]
pub fn take_end(number: u32, id: Id, index: u32) -> i32 {
    child(number, id)
        .and_then(|child| child.take_end_for_stream(index as usize))
        .map_or(-1, IntoRawFd::into_raw_fd)
}

/// Gathers an output, at most `limit` bytes, instead of leaving it to a stream.
///
/// Returns 0, or the negative errno of why it cannot be watched; its pipe is closed then.
#[napi(catch_unwind)]
pub fn collect(number: u32, id: Id, index: u32, limit: f64) -> i32 {
    // Not a number, as with a comparison in JavaScript, is no limit.
    let limit = if limit.is_nan() { u64::MAX } else { limit as u64 };
    let collected = child(number, id).map_or(Ok(()), |child| child.collect(index, limit));
    collected.map_or_else(|error| -sys::errno(&error), |()| 0)
}

/// Whether an output that is gathered will bring more.
#[napi(catch_unwind)]
pub fn is_collecting(number: u32, id: Id, index: u32) -> bool {
    child(number, id).is_some_and(|child| child.is_collecting(index))
}

/// Stops gathering; what came is kept.
#[napi(catch_unwind)]
pub fn close_outputs(number: u32, id: Id) {
    if let Some(child) = child(number, id) {
        child.close_outputs();
    }
}

/// What an output has gathered. Its pipe, if not at its end, can be had with `takeEnd` again.
#[napi(catch_unwind)]
pub fn take_output(number: u32, id: Id, index: u32) -> Buffer {
    child(number, id)
        .and_then(|child| child.take_output(index))
        .map(|gathered| gathered.bytes)
        .unwrap_or_default()
        .into()
}

/// The same as text, from UTF-8.
#[napi(catch_unwind)]
pub fn take_text<'env>(env: &'env Env, number: u32, id: Id, index: u32) -> Result<JsString<'env>> {
    let gathered = child(number, id).and_then(|child| child.take_output(index)).unwrap_or_default();
    // Most output is ASCII, which the engine takes over faster than UTF-8.
    if gathered.bytes.is_ascii() {
        return env.create_string_latin1(gathered.bytes);
    }
    env.create_string(String::from_utf8_lossy(&gathered.bytes))
}

/// How many bytes an output had before its last read.
#[napi(catch_unwind)]
pub fn before_last_read(number: u32, id: Id, index: u32) -> u32 {
    child(number, id).map_or(0, |child| u32::try_from(child.before_last_read(index)).unwrap_or(u32::MAX))
}

/// Closes the ends that no stream has taken; forgets the process if it has ended.
#[napi(catch_unwind)]
pub fn release(number: u32, id: Id) -> Result<()> {
    let runtime = runtime(number)?;
    if let Some(child) = runtime.child(id) {
        child.close_ends();
        if child.is_done() {
            runtime.children.borrow_mut().remove(&id);
        }
    }
    Ok(())
}

/// Sends a signal. Returns 0 or a negative errno (`kill(2)`).
#[napi(catch_unwind)]
pub fn kill(number: u32, id: Id, signal: i32) -> i32 {
    match child(number, id).map(|child| child.kill(signal)) {
        Some(Ok(())) => 0,
        Some(Err(error)) => -sys::errno(&error),
        None => -libc::ESRCH,
    }
}

/// Whether the event loop waits for the process; it does from the start.
#[napi(catch_unwind)]
pub fn set_referenced(number: u32, id: Id, referenced: bool) {
    if let Some(child) = child(number, id) {
        child.set_referenced(referenced);
    }
}

/// Whether the event loop waits for the process.
#[napi(catch_unwind)]
pub fn has_ref(number: u32, id: Id) -> bool {
    child(number, id).is_some_and(|child| child.has_ref())
}

/// Hands what a listener has thrown to `uncaughtException`; it is to be thrown on.
#[napi(catch_unwind)]
pub fn tell_thrown(env: &Env, error: Unknown) -> Result<()> {
    reactor::tell(env, &error)
}

fn end_of(entry: &Entry) -> End {
    match entry {
        Entry::Pipe => End::Pipe,
        Entry::Stream(_) => End::Stream,
        Entry::Ignore | Entry::Inherit(_) | Entry::Channel => End::None,
    }
}
