//! The native side of one `ChildProcess`: a command launched, watched, signalled and reaped.

mod outputs;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Object};

use super::output::Output;
use crate::background;
use crate::launch::{self, Command, Exec, Launched, Stdio};
use crate::options::command::without_pipe;
use crate::options::signal;
use crate::options::stdio::Entry;
use crate::process::Process;
use crate::reactor::{Callback, Key, Reactor, Source, Turn};
use crate::sys;

/// How far a process has come.
#[derive(Default)]
enum Phase {
    Starting {
        process: Process,
        exec: Exec,
        exit_key: Key,
        /// The source that waits for the exec, if anyone wants to hear of it.
        exec_key: Option<Key>,
    },
    Running {
        process: Process,
        exit_key: Key,
    },
    #[default]
    Ended,
}

/// Signals that dump core: before Linux 5.17 the dump of a child that still shares its parent's memory ends the parent, so
/// they wait for the exec.
const DUMPING: [i32; 9] = [
    libc::SIGQUIT,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGSEGV,
    libc::SIGXCPU,
    libc::SIGSYS,
];

/// The functions of `lib/process.js` that are called on a process's handle.
pub(super) struct Listeners {
    /// The exec is confirmed.
    pub on_spawn: FunctionRef<(), ()>,
    /// The process has ended: its exit code, or the negative errno of a failed exec, and the name of the signal.
    pub on_exit: FunctionRef<FnArgs<(i32, Option<&'static str>)>, ()>,
    /// An output that is gathered has come to its end, or over its limit (`true`).
    pub on_output: FunctionRef<FnArgs<(u32, bool)>, ()>,
    /// A run off the loop has ended.
    pub on_finish: FunctionRef<FnArgs<(Object<'static>,)>, ()>,
}

/// A process, from its launch until JavaScript has let go of its pipes.
pub(super) struct Child {
    listeners: Rc<Listeners>,
    reactor: Rc<Reactor>,
    phase: RefCell<Phase>,
    /// The parent's ends that no stream has taken yet, by descriptor.
    ends: RefCell<Vec<Option<OwnedFd>>>,
    /// The outputs that are gathered, by descriptor.
    outputs: RefCell<BTreeMap<u32, Rc<Output>>>,
    /// Whether there is a stream of an output.
    is_streamed: Cell<bool>,
    callback: RefCell<Option<Rc<Callback>>>,
    /// Whether JavaScript wants the loop to wait for this process.
    referenced: Cell<bool>,
    /// Whether the loop does wait for it.
    retained: Cell<bool>,
}

/// Why nothing was started: a positive errno, or an N-API failure.
pub(super) enum Failure {
    System(i32),
    Node(napi::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(sys::errno(&error))
    }
}

impl From<napi::Error> for Failure {
    fn from(error: napi::Error) -> Self {
        Self::Node(error)
    }
}

impl Child {
    pub fn new(listeners: &Rc<Listeners>, reactor: &Rc<Reactor>) -> Rc<Self> {
        Rc::new(Self {
            listeners: Rc::clone(listeners),
            reactor: Rc::clone(reactor),
            phase: RefCell::default(),
            ends: RefCell::default(),
            outputs: RefCell::default(),
            is_streamed: Cell::default(),
            callback: RefCell::default(),
            referenced: Cell::new(true),
            retained: Cell::new(false),
        })
    }

    /// Starts `command` with these descriptors; `handle` is the object that the listeners will be called on. Gives the pid.
    /// On failure the pipes stay, at their end-of-file.
    pub fn start(
        self: &Rc<Self>,
        env: &Env,
        command: Command,
        entries: &[Entry],
        handle: &Object,
    ) -> Result<i32, Failure> {
        let mut ends = vec![];
        let mut stdio = vec![];
        for (target, entry) in entries.iter().enumerate() {
            let (end, childs) = match without_pipe(target, *entry) {
                Some(stdio) => (None, stdio),
                None => sys::stream_pair().map(|(ours, childs)| (Some(ours), Stdio::Pipe(childs)))?,
            };
            ends.push(end);
            stdio.push(childs);
        }
        self.ends.replace(ends);
        let callback = Callback::new(env, handle, "PROCESSWRAP")?;
        let Launched { process, exec } =
            launch::launch(Command { stdio, ..command }).map_err(Failure::System)?;
        let pid = process.pid();
        self.watch(process, exec)?;
        self.callback.replace(Some(Rc::new(callback)));
        self.update_retention();
        Ok(pid)
    }

    fn watch(self: &Rc<Self>, mut process: Process, exec: Exec) -> io::Result<()> {
        let source: Rc<dyn Source> = Rc::new(ExitSource(Rc::clone(self)));
        let watched = match process.fd() {
            Some(fd) => self.reactor.add(fd, Turn::AfterIo, source),
            None => self
                .reactor
                .add_thread(Turn::AfterIo, source)
                .and_then(|(key, wake)| process.watch_from_thread(wake).map(|()| key)),
        };
        match watched {
            Ok(exit_key) => {
                self.phase.replace(Phase::Starting { process, exec, exit_key, exec_key: None });
                Ok(())
            }
            Err(error) => {
                // A child that nobody could watch must not run.
                let _ = process.kill(libc::SIGKILL);
                process.wait_for_end();
                Err(error)
            }
        }
    }

    fn is_alive(&self) -> bool {
        !matches!(*self.phase.borrow(), Phase::Ended)
    }

    /// Whether nothing is left to be done for it.
    pub fn is_done(&self) -> bool {
        !self.is_alive() && self.ends.borrow().is_empty() && self.outputs.borrow().is_empty()
    }

    /// Drops the callback once nothing can call it any more.
    fn let_go(&self) {
        if !self.is_alive() && self.outputs.borrow().values().all(|output| output.is_over()) {
            self.callback.take();
        }
    }

    /// The loop waits for a process that is referenced, for output that is gathered, and for output that nobody has touched
    /// yet: the builtin's streams would be reading it.
    fn update_retention(&self) {
        let untouched_output = || self.ends.borrow().iter().skip(1).any(Option::is_some);
        let gathers = self.outputs.borrow().values().any(|output| !output.is_over());
        let wanted = gathers || (self.is_alive() && (self.referenced.get() || untouched_output()));
        self.reactor.set_retained(&self.retained, wanted);
    }

    pub fn set_referenced(&self, referenced: bool) {
        self.referenced.set(referenced);
        self.update_retention();
    }

    pub fn has_ref(&self) -> bool {
        self.referenced.get() && self.is_alive()
    }

    /// Calls `function` in the async context of the launch, if that is still held. Says whether it did.
    pub fn call_in_context(&self, function: &Function<(), ()>) -> napi::Result<bool> {
        // A count of our own: what JavaScript does there may shut this process down.
        let callback = self.callback.borrow().clone();
        callback.map_or(Ok(false), |callback| callback.call_function(function, ()).map(|()| true))
    }

    /// Hands over the parent's end of the child's descriptor `index`.
    fn take_end(&self, index: usize) -> Option<OwnedFd> {
        let end = self.ends.borrow_mut().get_mut(index).and_then(Option::take);
        self.update_retention();
        end
    }

    /// The same, for a stream.
    pub fn take_end_for_stream(&self, index: usize) -> Option<OwnedFd> {
        let end = self.take_end(index);
        self.is_streamed.set(self.is_streamed.get() || index > 0 && end.is_some());
        end
    }

    /// Closes the ends that no stream has taken.
    pub fn close_ends(&self) {
        self.ends.borrow_mut().clear();
        self.update_retention();
    }

    pub fn kill(&self, signal: i32) -> io::Result<()> {
        match &*self.phase.borrow() {
            Phase::Starting { process, exec, .. } => {
                if DUMPING.contains(&signal) {
                    let _ = exec.wait();
                }
                process.kill(signal)
            }
            Phase::Running { process, .. } => process.kill(signal),
            Phase::Ended => Err(io::Error::from_raw_os_error(libc::ESRCH)),
        }
    }

    /// Whether the exec is known to have succeeded. If it isn't known yet, the listener will be called when it is.
    pub fn await_exec(self: &Rc<Self>) -> bool {
        let exec = match &*self.phase.borrow() {
            Phase::Running { .. } => return true,
            Phase::Ended | Phase::Starting { exec_key: Some(_), .. } => return false,
            Phase::Starting { exec, .. } => exec.clone(),
        };
        match exec.poll() {
            Some(Ok(())) => {
                self.confirm();
                return true;
            }
            Some(Err(_)) => return false,
            None => {}
        }
        let Ok((key, wake)) = self.reactor.add_thread(Turn::WithIo, Rc::new(ExecSource(Rc::clone(self))))
        else {
            // Out of descriptors: then it is waited for here.
            let is_confirmed = exec.wait().is_ok();
            if is_confirmed {
                self.confirm();
            }
            return is_confirmed;
        };
        if let Phase::Starting { exec_key, .. } = &mut *self.phase.borrow_mut() {
            *exec_key = Some(key);
        }
        let wait = move || {
            let _ = exec.wait();
            wake();
        };
        if let Err(wait) = background::spawn_blocking(wait) {
            wait();
        }
        false
    }

    /// The exec has succeeded. Says whether anyone is waiting to hear of it.
    fn confirm(&self) -> bool {
        match self.phase.take() {
            Phase::Starting { process, exit_key, exec_key, .. } => {
                self.phase.replace(Phase::Running { process, exit_key });
                exec_key.inspect(|key| self.reactor.remove(*key)).is_some()
            }
            other => {
                self.phase.replace(other);
                false
            }
        }
    }

    /// Takes in the result of the exec, if it is known by now, and tells whoever waits for it. A failed exec is told by
    /// the end of the child, which follows at once.
    pub fn poll_exec(&self) -> Option<Result<(), i32>> {
        let result = match &*self.phase.borrow() {
            Phase::Starting { exec, .. } => exec.poll(),
            Phase::Running { .. } | Phase::Ended => None,
        };
        if result == Some(Ok(())) && self.confirm() {
            // A count of our own: what JavaScript does there may shut this process down.
            let callback = self.callback.borrow().clone();
            if let Some(callback) = callback {
                let _ = callback.call(&self.listeners.on_spawn, ());
            }
        }
        result
    }

    /// The process may have ended.
    fn poll_exit(self: &Rc<Self>) {
        let exit = match &mut *self.phase.borrow_mut() {
            Phase::Starting { process, .. } | Phase::Running { process, .. } => process.try_wait(),
            Phase::Ended => None,
        };
        let Some(exit) = exit else {
            return;
        };
        let (code, signal) = match self.poll_exec() {
            Some(Err(errno)) => (-errno, None),
            Some(Ok(())) | None => (exit.code, signal::name(exit.signal)),
        };
        self.end();
        // What it wrote is there by now: read it first, so that the end is told once.
        let outputs: Vec<_> =
            self.outputs.borrow().iter().map(|(index, output)| (*index, Rc::clone(output))).collect();
        for (index, output) in outputs.iter().filter(|(_, output)| output.is_on_loop()) {
            output.advance(|| self.output_source(*index));
            if output.is_over_limit() {
                self.tell_output(*index, true);
            }
        }
        self.update_retention();
        let callback = self.callback.borrow().clone();
        if let Some(callback) = callback {
            let _ = callback.call(&self.listeners.on_exit, FnArgs::from((code, signal)));
        }
        self.let_go();
    }

    /// Lets go of the process; the ends of its pipes stay.
    fn end(&self) {
        match mem::take(&mut *self.phase.borrow_mut()) {
            Phase::Starting { exit_key, exec_key, .. } => {
                self.reactor.remove(exit_key);
                if let Some(key) = exec_key {
                    self.reactor.remove(key);
                }
            }
            Phase::Running { exit_key, .. } => self.reactor.remove(exit_key),
            Phase::Ended => {}
        }
        self.update_retention();
    }

    fn shut_down(&self) {
        self.end();
        self.callback.take();
        self.ends.take();
        self.outputs.take();
    }
}

/// Waits for the result of the exec.
struct ExecSource(Rc<Child>);

impl Source for ExecSource {
    fn ready(&self, _env: &Env, _is_over: bool) {
        self.0.poll_exec();
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}

/// Waits for the end of the process.
struct ExitSource(Rc<Child>);

impl Source for ExitSource {
    fn ready(&self, _env: &Env, _is_over: bool) {
        self.0.poll_exit();
    }

    /// A stream reads data and end of its pipe in two turns of the loop, and a signal that this process got, too, is told in the
    /// next.
    fn waits_a_turn(&self) -> bool {
        self.0.is_streamed.get() || self.0.outputs.borrow().is_empty()
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}
