//! The native side of one `ChildProcess`: a command launched, watched, signalled and reaped.

mod class;
mod early;
mod execution;
mod output;
mod outputs;
mod starting;

use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, Result, Unknown};

pub(super) use class::{ProcessObject, class};
use early::{Abort, Due};
pub(super) use early::{Plan, timeout};
use execution::Ending;
pub(super) use execution::{End, Execution};
use starting::Starting;

use crate::backoff::Backoff;
use crate::engine;
use crate::launch::{self, Command, Exec, Launched, Stdio};
use crate::options::Context;
use crate::options::command::without_pipe;
use crate::options::signal;
use crate::options::stdio::Entry;
use crate::process::{Process, Usage};
use crate::reactor::{Callback, KeepAlive, Reactor, Registration, Source, Turn, Work};
use crate::sys;

/// A process that has not ended, as far as is known.
struct Live {
    process: Process,
    /// With the descriptor of the process, where there is one.
    registration: Registration<Option<Arc<OwnedFd>>>,
    /// There until the exec is known to have succeeded.
    starting: Option<Starting>,
    /// Whether nothing tells of the end, so that it has to be looked for.
    is_polled: bool,
    /// Whether a look at the exec or the end is due, and how long the next one waits.
    is_timed: bool,
    backoff: Backoff,
}

/// A process, from its launch until JavaScript has let go of its pipes.
pub(super) struct Child {
    reactor: Rc<Reactor>,
    live: RefCell<Option<Live>>,
    /// The parent's ends that no stream has taken yet, by descriptor.
    ends: RefCell<Vec<Option<OwnedFd>>>,
    /// Gathers the outputs, of an `exec`.
    execution: RefCell<Option<Rc<Execution>>>,
    /// Whether there is a stream of an output.
    is_streamed: Cell<bool>,
    callback: RefCell<Option<Rc<Callback>>>,
    /// Whether nothing of `lib/` is there.
    is_alone: bool,
    /// What its time ends, and with which signal.
    timer: RefCell<Option<(Registration, Due)>>,
    kill_signal: Cell<Option<i32>>,
    abort: RefCell<Option<Abort>>,
    keep_alive: KeepAlive<Reactor>,
    /// Known once it has ended.
    usage: Cell<Option<Usage>>,
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
    pub fn new(reactor: &Rc<Reactor>, is_alone: bool) -> Rc<Self> {
        let keep_alive = KeepAlive::new(Rc::clone(reactor));
        keep_alive.set_work(Work::Over);
        keep_alive.set_referenced(true);
        Rc::new(Self {
            reactor: Rc::clone(reactor),
            live: RefCell::default(),
            ends: RefCell::default(),
            execution: RefCell::default(),
            is_streamed: Cell::default(),
            callback: RefCell::default(),
            is_alone,
            timer: RefCell::default(),
            kill_signal: Cell::default(),
            abort: RefCell::default(),
            keep_alive,
            usage: Cell::default(),
        })
    }

    /// Makes the pipes that `entries` ask for. Gives the child's descriptors.
    ///
    /// # Errors
    /// `EMFILE` (`socketpair(2)`).
    pub fn open_pipes(&self, entries: &[Entry]) -> io::Result<Vec<Stdio>> {
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
        Ok(stdio)
    }

    /// Starts `command`; `events` has the methods that are called later. Gives the pid. On failure the pipes stay, at their end-of-file.
    pub fn start(
        self: &Rc<Self>,
        env: &Env,
        command: Command,
        events: Option<Object>,
    ) -> std::result::Result<i32, Failure> {
        let callback = events.map(|events| Callback::without_context(env, &events)).transpose()?;
        let Launched { process, exec } = launch::launch(command).map_err(Failure::System)?;
        let pid = process.pid();
        self.watch(process, exec);
        self.callback.replace(callback.map(Rc::new));
        self.update_work();
        Ok(pid)
    }

    /// Has the callback of `exec` told that nothing could be started.
    pub fn tell_failure(self: &Rc<Self>, env: &Env, errno: i32) -> Result<()> {
        let Some(execution) = self.execution() else { return Ok(()) };
        execution.end(Ending { code: -errno, signal: None, failed: Some("spawn") });
        self.callback.replace(Some(Rc::new(Callback::without_context(env, &Object::new(env)?)?)));
        self.start_timer(Duration::ZERO, Due::Tell);
        Ok(())
    }

    /// Watches by the process descriptor, else by a thread, else by looking again and again.
    fn watch(self: &Rc<Self>, process: Process, exec: Exec) {
        let source: Rc<dyn Source> = Rc::new(ExitSource(Rc::clone(self)));
        let watched = match process.shared_fd() {
            Some(fd) => {
                let watched = self.reactor.register(fd, Turn::AfterIo, Rc::clone(&source));
                watched.ok().map(|registration| registration.map(Some))
            }
            None => self.watch_from_thread(&process, Rc::clone(&source)),
        };
        let is_polled = watched.is_none();
        let registration = watched.unwrap_or_else(|| self.reactor.register_timed(source).map(|()| None));
        let starting = Starting::unless_confirmed(exec);
        let (is_timed, backoff) = Default::default();
        self.live.replace(Some(Live { process, registration, starting, is_polled, is_timed, backoff }));
        self.look_later();
    }

    fn watch_from_thread(
        &self,
        process: &Process,
        source: Rc<dyn Source>,
    ) -> Option<Registration<Option<Arc<OwnedFd>>>> {
        let (registration, wake) = self.reactor.register_thread(Turn::AfterIo, source).ok()?;
        process.watch_from_thread(wake).ok().map(|()| registration.map(|()| None))
    }

    fn is_alive(&self) -> bool {
        self.live.borrow().is_some()
    }

    /// Whether outputs that are gathered may bring more.
    fn gathers(&self) -> bool {
        self.execution.borrow().as_ref().is_some_and(|execution| !execution.is_over())
    }

    /// Drops the callback once nothing can call it any more.
    fn let_go(&self) {
        if !self.is_alive() && !self.gathers() && self.timer.borrow().is_none() {
            self.callback.take();
        }
    }

    /// The loop waits for a process that is referenced; and in any case for its timeout, for output that is collected, and
    /// for output that no stream reads yet: the builtin's streams would be reading it.
    fn update_work(&self) {
        let is_alive = self.is_alive();
        let has_unread_output = || self.ends.borrow().iter().skip(1).any(Option::is_some);
        let is_pending = self.gathers() || self.timer.borrow().is_some() || is_alive && has_unread_output();
        self.keep_alive.set_work(match (is_pending, is_alive) {
            (true, _) => Work::Pending,
            (false, true) => Work::Possible,
            (false, false) => Work::Over,
        });
    }

    pub fn set_referenced(&self, is_referenced: bool) {
        self.keep_alive.set_referenced(is_referenced);
    }

    pub fn has_ref(&self) -> bool {
        self.is_alive() && self.keep_alive.is_referenced()
    }

    /// Hands over the parent's end of the child's descriptor `index`.
    pub fn take_end(&self, index: usize) -> Option<OwnedFd> {
        let end = self.ends.borrow_mut().get_mut(index).and_then(Option::take);
        self.update_work();
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
        self.update_work();
    }

    /// The process may have ended.
    fn poll_exit(self: &Rc<Self>, env: &Env) {
        // Before it is reaped: who hears of its exec may send it a signal, as with the builtin.
        self.poll_exec();
        let ended = self.live.borrow_mut().as_mut().and_then(|live| {
            let ending = live.process.try_wait()?;
            Some((ending, live.process.usage()))
        });
        let Some((ending, usage)) = ended else {
            self.look_later();
            return;
        };
        self.usage.set(ending.is_ok().then_some(usage));
        let (code, signal, failed) = match (self.poll_exec(), ending) {
            (Some(Err(errno)), _) => (-errno, None, Some("spawn")),
            (_, Err(errno)) => (-errno, None, Some("wait")),
            (_, Ok(exit)) => (exit.code, signal::name(exit.signal), None),
        };
        self.end();
        // What it wrote is there by now: read it first, so that the end is told once.
        self.drain(env);
        self.update_work();
        let _ = self.tell_exit(env, Ending { code, signal, failed });
        // What its listeners have asked for has been done: nobody can want the rest.
        self.close_ends();
        self.let_go();
    }

    fn tell_exit(&self, env: &Env, ending: Ending) -> Result<()> {
        let text = |name: Option<&str>| match name {
            Some(name) => engine::string(env, name.as_bytes()),
            None => engine::null(env),
        };
        let Ending { code, signal, failed } = ending;
        let arguments = [engine::number(env, f64::from(code))?, text(signal)?, text(failed)?];
        if self.forget_abort(env).is_err() {
            // What only looks like an AbortSignal may throw anything.
            let _ = engine::take_exception(env);
        }
        let Some(execution) = self.execution() else {
            if self.is_alone {
                self.stop_timer();
            }
            return self.tell(c"onexit", &arguments).map(drop);
        };
        execution.end(ending);
        self.tell_end(&self.context(env)?, &execution, c"onexit", &arguments)
    }

    /// Calls a method of the events, where they have it; says whether they have.
    fn tell(&self, method: &CStr, arguments: &[Unknown]) -> Result<bool> {
        // A count of our own: what JavaScript does there may shut this process down.
        let callback = self.callback.borrow().clone();
        callback.map_or(Ok(false), |callback| callback.call(method, arguments))
    }

    /// What conversions need, with the hooks of the events.
    fn context<'a>(&self, env: &'a Env) -> Result<Context<'a>> {
        let callback = self.callback.borrow().clone();
        let receiver = callback.map(|callback| callback.receiver(env)?.coerce_to_object()).transpose()?;
        Ok(Context::of(env, receiver))
    }

    /// The resources that it used; `None` until it has ended, and if nobody could wait for it.
    pub fn usage(&self) -> Option<Usage> {
        self.usage.get()
    }

    /// Lets go of the process; the ends of its pipes stay.
    fn end(&self) {
        drop(self.live.take());
        self.update_work();
    }

    fn shut_down(&self) {
        self.end();
        self.stop_timer();
        self.callback.take();
        self.ends.take();
        self.execution.take();
        self.abort.take();
    }
}

/// Waits for the end of the process.
struct ExitSource(Rc<Child>);

impl Source for ExitSource {
    fn ready(&self, env: &Env, _is_over: bool) {
        self.0.poll_exit(env);
    }

    /// A stream reads data and end of its pipe in two turns of the loop, and a signal that this process got,
    /// too, is told in the next.
    fn waits_a_turn(&self) -> bool {
        self.0.is_streamed.get() || self.0.execution.borrow().is_none()
    }

    fn elapsed(&self, _env: &Env) {
        self.0.look();
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}
