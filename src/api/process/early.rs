//! What ends a process early: its time, an AbortSignal.

use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::JsValue;
use napi::{Env, Result, Unknown, ValueType};

use super::execution::End;
use super::{Child, Execution};
use crate::engine::{self, Held};
use crate::options::arguments::check_ending;
use crate::options::given::Options;
use crate::options::{Context, is_truthy, kind};
use crate::reactor::Source;

/// What is to be done with a process once it has been started.
#[derive(Default)]
pub struct Plan {
    /// When it is to be killed, and with which signal; SIGTERM where that is none.
    pub timeout: Option<Duration>,
    pub kill_signal: Option<i32>,
    pub execution: Option<Rc<Execution>>,
    /// The signal that it gets when it is aborted.
    pub abort_signal: Option<i32>,
}

impl Plan {
    /// Of the options of `spawn`, or of `of_exec`, which does not have those.
    ///
    /// # Errors
    /// What Node throws for the first thing that is wrong.
    pub fn read(context: &Context, options: &Options, of_exec: Option<Self>) -> Result<Self> {
        let abort_signal = check_ending(context, options)?;
        if let Some(plan) = of_exec {
            return Ok(Self { abort_signal, ..plan });
        }
        let timeout = timeout(context, &options.get("timeout"))?;
        Ok(Self { timeout, kill_signal: abort_signal, execution: None, abort_signal })
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

/// What a timer of a process is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It is to be killed.
    Kill,
    /// Its AbortSignal had been aborted before.
    Abort,
    /// It could not be started, which is to be told.
    Tell,
}

/// An AbortSignal, and what listens to it.
pub(super) struct Abort {
    signal: Held,
    listener: Held,
}

impl Child {
    /// Does what is planned, unless it has not been started.
    pub fn follow(self: &Rc<Self>, context: &Context, plan: &Plan) -> Result<()> {
        self.kill_signal.set(plan.kill_signal);
        self.execution.replace(plan.execution.clone());
        if !self.is_alive() {
            return Ok(());
        }
        if let Some(time) = plan.timeout {
            self.start_timer(time, Due::Kill);
        }
        plan.execution.as_ref().map_or(Ok(()), |execution| self.gather(context, execution))
    }

    pub(super) fn start_timer(self: &Rc<Self>, time: Duration, due: Due) {
        let timer = self.reactor.register_timed(Rc::new(TimeSource(Rc::clone(self))));
        self.reactor.call_after(&timer, time);
        self.timer.replace(Some((timer, due)));
        self.update_work();
    }

    /// Its time does not run any more.
    pub fn stop_timer(&self) {
        if self.timer.take().is_some() {
            self.update_work();
        }
    }

    fn time_is_over(self: &Rc<Self>, env: &Env) {
        let Some(due) = self.timer.borrow().as_ref().map(|(_, due)| *due) else { return };
        self.stop_timer();
        match (due, self.execution()) {
            (Due::Kill, Some(execution)) => self.cut_off(env, &execution),
            (Due::Kill, None) => self.kill_early(env),
            (Due::Abort, _) => drop(self.abort(env)),
            (Due::Tell, _) => self.tell_outcome(env),
        }
        self.let_go();
    }

    /// Has JavaScript kill the process, or does so where it has no way of its own.
    pub(super) fn kill_early(self: &Rc<Self>, env: &Env) {
        let signal = self.kill_signal.get();
        let number =
            signal.map_or_else(|| engine::undefined(env), |signal| engine::number(env, signal.into()));
        if !matches!(number.and_then(|number| self.tell(c"onkill", &[number])), Ok(true)) {
            // It may have ended.
            let _ = self.kill(signal.unwrap_or(libc::SIGTERM));
        }
    }

    /// Ends the process when `signal` is aborted, for a program that has the addon alone.
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
            self.start_timer(Duration::ZERO, Due::Abort);
        }
        Ok(())
    }

    fn abort(self: &Rc<Self>, env: &Env) -> Result<()> {
        let Some(signal) = self.forget_abort(env)? else { return Ok(()) };
        // It may have ended.
        let _ = self.kill(libc::SIGTERM);
        let Some(execution) = self.execution() else { return Ok(()) };
        let context = self.context(env)?;
        let error = context.aborted(&signal)?.to_unknown();
        self.call_back(self.finish(&context, &execution, &End::of_error(&context, error)?)?)
    }

    /// Listens no more. Gives the AbortSignal.
    pub(super) fn forget_abort<'a>(&self, env: &'a Env) -> Result<Option<Unknown<'a>>> {
        let Some(Abort { signal, listener }) = self.abort.take() else { return Ok(None) };
        let (signal, listener) = (signal.get(env)?, listener.get(env)?);
        let event = engine::string(env, b"abort")?;
        engine::call_method(env, &signal, c"removeEventListener", [&event, &listener])?;
        Ok(Some(signal))
    }
}

/// Waits until the time of a process is over.
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
