//! `class Process`: what JavaScript has of a process.

use std::cell::RefCell;
use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::{ClassInstance, External, FromNapiValue, Function, Object, Unknown};
use napi::{Env, Result};
use napi_derive::napi;

use super::super::runtime;
use super::{Child, End, Execution, Plan};
use crate::engine;
use crate::options::{Context, option, signal};
use crate::sys;

/// A process. `spawn`, `execFile` and their kin make them.
#[derive(Default)]
#[napi]
pub struct Process {
    child: RefCell<Option<Rc<Child>>>,
    execution: RefCell<Option<Rc<Execution>>>,
}

impl Process {
    /// An object of the class with `child` behind it.
    pub(in crate::api) fn wrap(env: &Env, child: Option<Rc<Child>>) -> Result<ClassInstance<'_, Self>> {
        let class = runtime::of(env)?.process_class(env)?;
        let class = Function::<(), Unknown>::from_unknown(class)?;
        let instance = ClassInstance::<Self>::from_unknown(class.new_instance(())?)?;
        instance.child.replace(child);
        Ok(instance)
    }

    /// Does with the process what is planned.
    pub(in crate::api) fn follow(&self, context: &Context, plan: &Plan) -> Result<()> {
        self.execution.replace(plan.execution.clone());
        self.child().map_or(Ok(()), |child| child.follow(context, plan))
    }

    pub(in crate::api) fn child(&self) -> Option<Rc<Child>> {
        self.child.borrow().clone()
    }

    fn execution(&self) -> Option<Rc<Execution>> {
        self.execution.borrow().clone()
    }
}

#[napi]
impl Process {
    /// One that has not been started.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a signal. Returns 0 or a negative errno (`kill(2)`).
    #[napi(catch_unwind)]
    pub fn kill(&self, signal: i32) -> i32 {
        match self.child().map(|child| child.kill(signal)) {
            Some(Ok(())) => 0,
            Some(Err(error)) => -sys::errno(&error),
            None => -libc::ESRCH,
        }
    }

    /// Makes the event loop wait for the process; it does from the start.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn reference(&self) {
        if let Some(child) = self.child() {
            child.set_referenced(true);
        }
    }

    /// Lets the event loop end before the process.
    #[napi(js_name = "unref", catch_unwind)]
    pub fn unreference(&self) {
        if let Some(child) = self.child() {
            child.set_referenced(false);
        }
    }

    /// Whether the event loop waits for the process.
    #[napi(catch_unwind)]
    pub fn has_ref(&self) -> bool {
        self.child().is_some_and(|child| child.has_ref())
    }

    /// Hands over this process's end of the child's descriptor `index`, to be closed by the caller; -1 where there
    /// is none.
    #[napi(catch_unwind)]
    pub fn take_pipe(&self, index: u32) -> i32 {
        self.child()
            .and_then(|child| child.take_end_for_stream(index as usize))
            .map_or(-1, IntoRawFd::into_raw_fd)
    }

    /// Closes the pipes that nobody has taken.
    #[napi(catch_unwind)]
    pub fn close_pipes(&self) {
        if let Some(child) = self.child() {
            child.close_ends();
        }
    }

    /// Whether the exec is known to have succeeded. If it isn't known yet, `onspawn` will be called when it is.
    #[napi(catch_unwind)]
    pub fn await_exec(&self) -> bool {
        self.child().is_some_and(|child| child.await_exec())
    }

    /// Calls `onspawn` now if it is due.
    #[napi(catch_unwind)]
    pub fn poll_exec(&self) {
        if let Some(child) = self.child() {
            child.poll_exec();
        }
    }

    /// Does with the process what `normalize` has read.
    #[napi(catch_unwind)]
    pub fn begin(&self, env: &Env, plan: &External<Plan>, events: Object) -> Result<()> {
        self.follow(&Context::of(env, Some(events))?, plan)
    }

    /// Does not kill it any more when its time is over.
    #[napi(catch_unwind)]
    pub fn stop_timer(&self) {
        if let Some(child) = self.child() {
            child.stop_timer();
        }
    }

    /// Leaves an output that is gathered to a stream. Gives what it has brought so far, `begun`, and how it is to go on: `encoding` and
    /// `maxBuffer`. Its pipe, if not at its end, can be had with `takePipe`.
    #[napi(catch_unwind)]
    pub fn take_output<'env>(&self, env: &'env Env, index: u32) -> Result<Unknown<'env>> {
        let Some(execution) = self.execution() else { return engine::undefined(env) };
        let begun = self.child().map(|child| child.take_output(&execution, index)).unwrap_or_default();
        execution.describe(&Context::new(env, None), begun)
    }

    /// A stream of an output has brought more than `maxBuffer`: ends the process.
    #[napi(catch_unwind)]
    pub fn cut_output(&self, env: &Env, index: u32, events: Object) -> Result<()> {
        let (Some(child), Some(execution)) = (self.child(), self.execution()) else { return Ok(()) };
        child.cut_for_length(&Context::of(env, Some(events))?, &execution, index)
    }

    /// Ends the run of `execFile`: gives its callback, and what that is to be called with. `end` has `error`, what has gone wrong, if that is
    /// not known here; `code` and `signal`, as of the process; `stdout` and `stderr`, what streams have brought.
    #[napi(catch_unwind)]
    pub fn finish<'env>(&self, env: &'env Env, end: Object<'env>) -> Result<Vec<Unknown<'env>>> {
        let Some(execution) = self.execution() else { return Ok(vec![]) };
        let read = |name| option(&end, name);
        let heard = [read(c"stdout")?, read(c"stderr")?];
        let end = End { error: read(c"error")?, code: read(c"code")?, signal: read(c"signal")?, heard };
        let context = Context::new(env, None);
        let outcome = match self.child() {
            Some(child) => child.finish(&context, &execution, &end),
            None => execution.finish(&context, &end),
        };
        outcome.map(Vec::from)
    }
}

/// The number of a signal given by name or number. Throws `ERR_UNKNOWN_SIGNAL`.
#[napi(catch_unwind)]
pub fn signal_number(env: &Env, signal: Unknown, host: Option<Object>) -> Result<i32> {
    signal::from_value(&Context::of(env, host)?, &signal)
}
