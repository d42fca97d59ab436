//! One loaded copy of the addon: its hooks into JavaScript, its reactor, and the processes it has started.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use napi::bindgen_prelude::{FnArgs, FunctionRef, Object, ObjectRef};
use napi::{Env, Result, Unknown, sys as sys_napi};
use napi_derive::napi;

use super::channel::Node;
use super::off_loop::OffLoop;
pub(super) use super::process::Listeners;
use super::process::{Child, ExitArguments, OutputArguments};
use crate::engine;
use crate::launch::inherited;
use crate::options::arguments::{self, Arguments};
use crate::options::{Context, signal};
use crate::reactor::{self, Reactor};

/// Names a process to JavaScript; never used twice.
pub(super) type Id = i64;

/// What one loaded copy of `lib/` has here.
pub(super) struct Runtime {
    env: sys_napi::napi_env,
    hooks: ObjectRef<false>,
    pub(super) listeners: Rc<Listeners>,
    node: u32,
    reactor: OnceCell<Rc<Reactor>>,
    pub(super) children: RefCell<HashMap<Id, Rc<Child>>>,
    /// What runs off the loop, and can be cancelled.
    pub(super) runs: RefCell<HashMap<Id, Rc<OffLoop>>>,
    last_id: Cell<Id>,
    /// What channels use of Node, once there has been one.
    channel_node: OnceCell<Rc<Node>>,
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

    /// What channels use of Node, the same for all of them.
    pub(super) fn channel_node(&self, env: &Env) -> Result<Rc<Node>> {
        if let Some(node) = self.channel_node.get() {
            return Ok(Rc::clone(node));
        }
        let node = Rc::new(Node::new(env, &self.hooks.get_value(env)?, self.node)?);
        Ok(Rc::clone(self.channel_node.get_or_init(|| node)))
    }

    pub(super) fn next_id(&self) -> Id {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    pub(super) fn child(&self, id: Id) -> Option<Rc<Child>> {
        self.children.borrow().get(&id).cloned()
    }
}

thread_local! {
    /// The runtimes of this thread, by the number that `open` gave. A call that names one by number costs a
    /// tenth of one that unwraps an object of a native class.
    static RUNTIMES: RefCell<Vec<Option<Rc<Runtime>>>> = const { RefCell::new(vec![]) };
}

pub(super) fn runtime(number: u32) -> Result<Rc<Runtime>> {
    RUNTIMES
        .with_borrow(|runtimes| runtimes.get(number as usize).cloned().flatten())
        .ok_or_else(|| napi::Error::from_reason("child-process-rs: not open"))
}

/// Begins: `hooks` are the functions of `lib/errors.js`; `onSpawn()` is called on a process's handle when the
/// exec is confirmed, if `awaitExec` asked for it; `onExit(code, signal)` when the process has ended, or
/// `onExit(-errno, null, syscall)` where the exec failed (`spawn`), or its end cannot be known (`wait`);
/// `onOutput(index, isOverLimit, errno)` when an output that is gathered is over; `onFinish(result)` at the
/// end of a run off the loop. Returns the number that every other function takes first.
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
    let (reactor, children, runs, last_id, channel_node) = Default::default();
    let opened =
        Runtime { env: env.raw(), hooks, listeners, node, reactor, children, runs, last_id, channel_node };
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

/// Validates the options that limit a process whose output is gathered. Returns the number of
/// `options.killSignal`.
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

/// Hands what a listener has thrown to `uncaughtException`; it is to be thrown on.
#[napi(catch_unwind)]
pub fn tell_thrown(env: &Env, error: Unknown) -> Result<()> {
    reactor::tell(env, &error)
}
