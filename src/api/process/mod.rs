//! The native side of one `ChildProcess`: a command launched, watched, signalled and reaped.

mod capture;
mod class;
mod limits;
mod output;
mod starting;

use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::JsValue;
use napi::{Env, Result, Unknown};

pub(super) use capture::Capture;
pub(super) use class::{Argv, ProcessObject, Start, class};
use limits::Abort;
pub(super) use limits::{Plan, timeout};
use starting::Starting;

use crate::backoff::Backoff;
use crate::engine::{self, Held};
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
    /// Whether neither a pidfd nor a thread reports the exit, so that it must be polled for.
    is_polled: bool,
    /// Whether the timer for the next poll of the exec or the exit is running.
    is_timed: bool,
    backoff: Backoff,
}

/// A process, from its launch until JavaScript has let go of its pipes.
pub(super) struct Child {
    reactor: Rc<Reactor>,
    live: RefCell<Option<Live>>,
    /// Our ends of its pipes that nothing has taken yet, by descriptor.
    ends: RefCell<Vec<Option<OwnedFd>>>,
    /// The outputs, of an `exec`.
    capture: RefCell<Option<Rc<Capture>>>,
    /// Whether there is a stream of an output.
    is_streamed: Cell<bool>,
    /// The object whose methods are called when something happens.
    callback: RefCell<Option<Rc<Callback>>>,
    /// Whether the program uses the addon without `lib/`.
    is_alone: bool,
    /// Without `lib/`: the call of `exec`, until its callback is called.
    call: RefCell<Option<Held>>,
    /// Set when it has ended.
    exit: Cell<Option<ExitEvent>>,
    /// The timer of `timeout`.
    timer: RefCell<Option<Registration>>,
    /// The signal that is sent at its timeout; SIGTERM if there is none.
    kill_signal: Cell<Option<i32>>,
    abort: RefCell<Option<Abort>>,
    keep_alive: KeepAlive<Reactor>,
    /// Known once it has ended.
    usage: Cell<Option<Usage>>,
}

/// The arguments of `onexit`: the exit code, or a negative errno and the call that failed; and the name of the signal
/// that ended the process.
#[derive(Clone, Copy)]
struct ExitEvent {
    code: i32,
    signal: Option<&'static str>,
    failed: Option<&'static str>,
}

impl ExitEvent {
    fn is_success(&self) -> bool {
        self.code == 0 && self.signal.is_none()
    }

    /// The arguments of `'exit'`.
    fn values<'a>(&self, env: &'a Env) -> Result<[Unknown<'a>; 2]> {
        match self.signal {
            Some(signal) => Ok([engine::null(env)?, engine::string(env, signal.as_bytes())?]),
            None => Ok([engine::number(env, f64::from(self.code))?, engine::null(env)?]),
        }
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
            capture: RefCell::default(),
            is_streamed: Cell::default(),
            callback: RefCell::default(),
            is_alone,
            call: RefCell::default(),
            exit: Cell::default(),
            timer: RefCell::default(),
            kill_signal: Cell::default(),
            abort: RefCell::default(),
            keep_alive,
            usage: Cell::default(),
        })
    }

    /// Makes the pipes that `entries` ask for. Returns the child's descriptors, or a positive errno (`socketpair(2)`).
    pub fn open_pipes(&self, entries: &[Entry]) -> std::result::Result<Vec<Stdio>, i32> {
        let mut ends = vec![];
        let mut stdio = vec![];
        for (target, entry) in entries.iter().enumerate() {
            let (end, childs) = match without_pipe(target, *entry) {
                Some(stdio) => (None, stdio),
                None => {
                    let (ours, childs) = sys::stream_pair().map_err(|error| sys::errno(&error))?;
                    (Some(ours), Stdio::Pipe(childs))
                }
            };
            ends.push(end);
            stdio.push(childs);
        }
        self.ends.replace(ends);
        Ok(stdio)
    }

    /// Starts `command`. Returns the pid, or a positive errno. After a failure the pipes stay, and are at their end.
    pub fn start(self: &Rc<Self>, command: Command) -> std::result::Result<i32, i32> {
        let Launched { process, exec } = launch::launch(command)?;
        let pid = process.pid();
        self.watch(process, exec);
        self.update_work();
        Ok(pid)
    }

    /// Without `lib/`: keeps the call of `exec` until its callback is called.
    pub fn keep_call(&self, call: Held) {
        self.call.replace(Some(call));
    }

    /// Nothing could be started.
    pub fn set_failed(&self, errno: i32) {
        self.exit.set(Some(ExitEvent { code: -errno, signal: None, failed: Some("spawn") }));
    }

    /// Reports events by calling the methods of `events`, unless another object is listening already.
    pub fn listen(&self, env: &Env, events: &Unknown) -> Result<()> {
        if self.callback.borrow().is_none() {
            self.callback.replace(Some(Rc::new(Callback::without_context(env, events)?)));
        }
        Ok(())
    }

    /// Watches for the exit: through the pidfd; if there is none, in a thread; if there is none either, by polling.
    fn watch(self: &Rc<Self>, process: Process, exec: Arc<Exec>) {
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
        self.poll_later();
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

    /// Whether captured outputs may bring more.
    fn captures(&self) -> bool {
        self.capture.borrow().as_ref().is_some_and(|capture| !capture.is_over())
    }

    /// Drops the callback once nothing can call it any more.
    pub fn release_callback(&self) {
        if !self.is_alive() && !self.captures() && self.timer.borrow().is_none() {
            self.callback.take();
        }
    }

    /// Updates whether the process keeps the event loop alive. It does if it is referenced; and in any case for its
    /// timeout, for output that is captured, and for output that no stream reads yet: the builtin's streams would be
    /// reading it.
    fn update_work(&self) {
        let is_alive = self.is_alive();
        let has_unread_output = || self.ends.borrow().iter().skip(1).any(Option::is_some);
        let is_pending = self.captures() || self.timer.borrow().is_some() || is_alive && has_unread_output();
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

    /// Hands over our end of the child's descriptor `index`.
    pub fn take_end(&self, index: usize) -> Option<OwnedFd> {
        let end = self.ends.borrow_mut().get_mut(index).and_then(Option::take);
        self.update_work();
        end
    }

    /// Hands over our end of the child's descriptor `index` to a stream.
    pub fn take_end_for_stream(&self, index: usize) -> Option<OwnedFd> {
        let end = self.take_end(index);
        self.is_streamed.set(self.is_streamed.get() || index > 0 && end.is_some());
        end
    }

    /// Closes the ends that no stream has taken.
    pub fn close_ends(&self) {
        // The places stay, for outputs that are still captured and that a stream may take over.
        self.ends.borrow_mut().iter_mut().for_each(|end| *end = None);
        self.update_work();
    }

    /// Reaps the process if it has exited.
    fn poll_exit(self: &Rc<Self>, env: &Env) {
        // Before it is reaped, so that a listener of 'spawn' can send it a signal, as with the builtin.
        self.poll_exec();
        let ended = self.live.borrow_mut().as_mut().and_then(|live| {
            let ending = live.process.try_wait()?;
            Some((ending, live.process.usage()))
        });
        let Some((ending, usage)) = ended else {
            self.poll_later();
            return;
        };
        self.usage.set(ending.is_ok().then_some(usage));
        let (code, signal, failed) = match (self.poll_exec(), ending) {
            (Some(Err(errno)), _) => (-errno, None, Some("spawn")),
            (_, Err(errno)) => (-errno, None, Some("wait")),
            (_, Ok(exit)) => (exit.code, signal::name(exit.signal), None),
        };
        self.forget_process();
        // Everything that it wrote is in the pipes now. If that is all, one call reports the exit and the outputs.
        self.drain(env);
        self.update_work();
        let _ = self.notify_of_exit(env, ExitEvent { code, signal, failed });
        // The listeners have taken the pipes that they want.
        self.close_ends();
        self.release_callback();
    }

    fn notify_of_exit(&self, env: &Env, exit: ExitEvent) -> Result<()> {
        let text = |name: Option<&str>| match name {
            Some(name) => engine::string(env, name.as_bytes()),
            None => engine::null(env),
        };
        let ExitEvent { code, signal, failed } = exit;
        let arguments = [engine::number(env, f64::from(code))?, text(signal)?, text(failed)?];
        if self.stop_listening(env).is_err() {
            // An object that only looks like an AbortSignal may throw anything.
            let _ = engine::take_exception(env);
        }
        self.exit.set(Some(exit));
        if let Some(capture) = self.capture() {
            return self.notify(&self.context(env)?, &capture, c"onexit", &arguments);
        }
        if self.is_alone {
            self.stop_timer();
        }
        self.call_method(c"onexit", &arguments).map(drop)
    }

    /// Calls a method of the object that listens, and returns whether there is such a method.
    fn call_method(&self, method: &CStr, arguments: &[Unknown]) -> Result<bool> {
        // Cloned, because what JavaScript does there may shut this process down.
        let callback = self.callback.borrow().clone();
        callback.map_or(Ok(false), |callback| callback.call(method, arguments))
    }

    /// What conversions need, with the hooks of the object that listens.
    fn context<'a>(&self, env: &'a Env) -> Result<Context<'a>> {
        let callback = self.callback.borrow().clone();
        let receiver = callback.map(|callback| callback.receiver(env)?.coerce_to_object()).transpose()?;
        Ok(Context::of(env, receiver))
    }

    /// The resources that it used; `None` until it has ended, and if nobody could wait for it.
    pub fn usage(&self) -> Option<Usage> {
        self.usage.get()
    }

    /// Drops the process, but not our ends of its pipes.
    fn forget_process(&self) {
        drop(self.live.take());
        self.update_work();
    }

    fn shut_down(&self) {
        self.forget_process();
        self.stop_timer();
        self.callback.take();
        self.ends.take();
        self.capture.take();
        self.call.take();
        self.abort.take();
    }
}

/// Called when the process has exited.
struct ExitSource(Rc<Child>);

impl Source for ExitSource {
    fn ready(&self, env: &Env, _is_over: bool) {
        self.0.poll_exit(env);
    }

    /// A stream needs two iterations of the loop to read data and end-of-file, and a signal that this process has also
    /// received is reported in the next one.
    fn waits_a_turn(&self) -> bool {
        self.0.is_streamed.get() || self.0.capture.borrow().is_none()
    }

    fn elapsed(&self, _env: &Env) {
        self.0.poll();
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}
