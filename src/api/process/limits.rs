//! What ends a process early: its timeout, or an AbortSignal.

use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::JsValue;
use napi::{Env, Result, Unknown, ValueType};

use super::{Capture, Child};
use crate::engine::{self, Held};
use crate::options::arguments::check_ending;
use crate::options::given::Options;
use crate::options::{Context, is_truthy, kind};
use crate::reactor::Source;

/// What to do with a process after its launch.
#[derive(Default)]
pub struct Plan {
    /// When to kill it.
    pub timeout: Option<Duration>,
    /// The signal for that; SIGTERM if there is none.
    pub kill_signal: Option<i32>,
    /// For `exec`: its outputs are captured.
    pub capture: Option<Rc<Capture>>,
    /// The signal to send when an AbortSignal is aborted.
    pub abort_signal: Option<i32>,
}

impl Plan {
    /// Reads the plan from the options of `spawn`, whose `killSignal` serves for a timeout and for an AbortSignal alike.
    /// `of_exec`: the plan of `exec`, which lacks only `abort_signal`.
    ///
    /// # Errors
    /// What Node throws for the first thing that is wrong.
    pub fn read(context: &Context, options: &Options, of_exec: Option<Self>) -> Result<Self> {
        let abort_signal = check_ending(context, options)?;
        if let Some(plan) = of_exec {
            return Ok(Self { abort_signal, ..plan });
        }
        let timeout = options.given("timeout").map_or(Ok(None), |time| timeout(context, time))?;
        Ok(Self { timeout, kill_signal: abort_signal, capture: None, abort_signal })
    }
}

/// `options.timeout`, which has been checked.
///
/// # Errors
/// An N-API failure.
pub(in crate::api) fn timeout(context: &Context, value: &Unknown) -> Result<Option<Duration>> {
    /// The longest time that a timer of Node's can wait, milliseconds.
    const LONGEST: f64 = i32::MAX as f64;
    if kind(value)? != ValueType::Number {
        return Ok(None);
    }
    let mut milliseconds = engine::to_f64(context.env, value)?;
    if milliseconds > LONGEST {
        context.warn(
            &format!(
                "{milliseconds} does not fit into a 32-bit signed integer.\nTimeout duration was set to 1."
            ),
            "TimeoutOverflowWarning",
        )?;
        milliseconds = 1.0;
    }
    Ok((milliseconds > 0.0).then(|| Duration::from_millis(milliseconds as u64)))
}

/// An AbortSignal, and what listens to it.
pub(super) struct Abort {
    signal: Held,
    listener: Held,
}

impl Child {
    /// Carries out the plan. `captures`: whether the outputs are captured natively.
    pub fn follow(self: &Rc<Self>, plan: &Plan, captures: bool) {
        self.kill_signal.set(plan.kill_signal);
        self.capture.replace(plan.capture.clone());
        if let Some(time) = plan.timeout {
            self.start_timer(time);
        }
        if let Some(capture) = plan.capture.as_ref().filter(|_| captures && self.is_alive()) {
            self.start_capture(capture);
        }
    }

    fn start_timer(self: &Rc<Self>, time: Duration) {
        let timer = self.reactor.register_timed(Rc::new(TimeSource(Rc::clone(self))));
        self.reactor.call_after(&timer, time);
        self.timer.replace(Some(timer));
        self.update_work();
    }

    /// The process is no longer killed for its timeout.
    pub fn stop_timer(&self) {
        if self.timer.take().is_some() {
            self.update_work();
        }
    }

    fn time_is_over(self: &Rc<Self>, env: &Env) {
        self.stop_timer();
        match self.capture() {
            Some(capture) => self.cut_off(env, &capture),
            None => self.kill_early(env),
        }
        self.release_callback();
    }

    /// Has JavaScript kill the process, by `child.kill()`. Without `lib/`, kills it here.
    pub(super) fn kill_early(self: &Rc<Self>, env: &Env) {
        let signal = self.kill_signal.get();
        let number =
            signal.map_or_else(|| engine::undefined(env), |signal| engine::number(env, signal.into()));
        if !matches!(number.and_then(|number| self.call_method(c"onkill", &[number])), Ok(true)) {
            // It may have ended.
            let _ = self.kill(signal.unwrap_or(libc::SIGTERM));
        }
    }

    /// Without `lib/`: ends the process when `signal` is aborted, in a later tick if it already is.
    pub fn end_on_abort(self: &Rc<Self>, context: &Context, signal: &Unknown) -> Result<()> {
        let env = context.env;
        let child = Rc::downgrade(self);
        let listener = engine::function::<0, _>(env, move |env, _| {
            child.upgrade().map_or(Ok(()), |child| child.abort(env)).map(|()| None)
        })?;
        let event = engine::string(env, b"abort")?;
        engine::call_method(env, signal, c"addEventListener", [&event, &listener])?;
        let abort = Abort { signal: Held::new(env, signal)?, listener: Held::new(env, &listener)? };
        self.abort.replace(Some(abort));
        if is_truthy(&engine::property(env, signal, c"aborted")?)? {
            engine::call_method(env, &context.process()?, c"nextTick", [&listener])?;
        }
        Ok(())
    }

    fn abort(self: &Rc<Self>, env: &Env) -> Result<()> {
        let Some(signal) = self.stop_listening(env)? else { return Ok(()) };
        // It may have ended.
        let _ = self.kill(libc::SIGTERM);
        let Some(capture) = self.capture() else { return Ok(()) };
        let context = self.context(env)?;
        self.call_back(&context, &capture, context.aborted(&signal)?.to_unknown())
    }

    /// Removes the listener from the AbortSignal, and returns the signal.
    pub(super) fn stop_listening<'a>(&self, env: &'a Env) -> Result<Option<Unknown<'a>>> {
        let Some(Abort { signal, listener }) = self.abort.take() else { return Ok(None) };
        let (signal, listener) = (signal.get(env)?, listener.get(env)?);
        let event = engine::string(env, b"abort")?;
        engine::call_method(env, &signal, c"removeEventListener", [&event, &listener])?;
        Ok(Some(signal))
    }
}

/// Called when the timeout of a process is over.
struct TimeSource(Rc<Child>);

impl Source for TimeSource {
    fn ready(&self, _env: &Env, _is_over: bool) {}

    fn elapsed(&self, env: &Env) {
        self.0.time_is_over(env);
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}
