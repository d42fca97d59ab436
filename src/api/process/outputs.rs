//! The outputs of a process that are gathered rather than streamed.

use std::ffi::CStr;
use std::rc::Rc;

use napi::{Env, Result, Unknown};

use super::Child;
use super::execution::{End, Execution, OUTPUTS, Outcome};
use super::output::{Failure, Output};
use crate::engine;
use crate::options::Context;
use crate::reactor::Source;
use crate::sys;

impl Child {
    pub(super) fn execution(&self) -> Option<Rc<Execution>> {
        self.execution.borrow().clone()
    }

    /// Gathers the outputs from here on.
    pub(super) fn gather(self: &Rc<Self>, context: &Context, execution: &Rc<Execution>) -> Result<()> {
        for index in OUTPUTS {
            let Some(end) = self.take_end(index) else { continue };
            match Output::start(&self.reactor, end, execution.most(), self.output_source(index)) {
                Ok(output) => execution.add(index, output),
                Err(error) => {
                    execution.fail_to(context, sys::errno(&error), "spawn")?;
                    // It is told by the end of the process.
                    let _ = self.kill(libc::SIGKILL);
                }
            }
        }
        self.update_work();
        Ok(())
    }

    fn output_source(self: &Rc<Self>, index: usize) -> Rc<dyn Source> {
        Rc::new(OutputSource(Rc::clone(self), index))
    }

    /// What an output has gathered, for a stream that goes on; its pipe, if not at its end, is the end of a stream again.
    pub fn take_output(&self, execution: &Execution, index: usize) -> Vec<u8> {
        let Some(output) = execution.take_for_stream(index) else { return vec![] };
        let gathered = output.take();
        if let Some(place) = self.ends.borrow_mut().get_mut(index) {
            *place = gathered.fd;
        }
        self.update_work();
        gathered.bytes
    }

    /// An output may have come, or come to its end.
    fn poll_output(self: &Rc<Self>, env: &Env, index: usize) {
        let output = self.execution().and_then(|execution| execution.output(index));
        let Some(output) = output.filter(|output| !output.is_over()) else { return };
        // What it writes proves that its exec succeeded.
        self.poll_exec();
        self.advance(env, index, &output);
        if output.is_over() {
            self.update_work();
            self.tell_outcome(env);
        }
    }

    /// Reads what the outputs have, so that the end of the process is told once.
    pub(super) fn drain(self: &Rc<Self>, env: &Env) {
        let Some(execution) = self.execution() else { return };
        for index in OUTPUTS {
            if let Some(output) = execution.output(index)
                && output.is_on_loop()
            {
                self.advance(env, index, &output);
            }
        }
    }

    fn advance(self: &Rc<Self>, env: &Env, index: usize, output: &Output) {
        output.advance(|| self.output_source(index));
        let Some(execution) = self.execution() else { return };
        let Ok(context) = self.context(env) else { return };
        let _: Result<()> = match output.failure() {
            Some(Failure::TooLong) => self.cut_for_length(&context, &execution, index),
            Some(Failure::Read(errno)) => execution.fail_to(&context, errno, "read"),
            None => Ok(()),
        };
    }

    /// The output `index` has become too long, be it one that a stream has.
    pub fn cut_for_length(
        self: &Rc<Self>,
        context: &Context,
        execution: &Execution,
        index: usize,
    ) -> Result<()> {
        execution.fail_for_length(context, index)?;
        self.cut_off(context.env, execution);
        Ok(())
    }

    /// Kills the process, and then closes its outputs: it does not get to complain that nobody listens.
    pub(super) fn cut_off(self: &Rc<Self>, env: &Env, execution: &Execution) {
        execution.set_killed();
        self.kill_early(env);
        execution.close();
        self.update_work();
        self.tell_outcome(env);
    }

    /// Tells the outcome of a run whose process has ended before its outputs.
    pub(super) fn tell_outcome(&self, env: &Env) {
        let Some(execution) = self.execution().filter(|execution| execution.has_ended()) else { return };
        if execution.is_over() {
            let told =
                self.context(env).and_then(|context| self.tell_end(&context, &execution, c"onend", &[]));
            // Nobody is there to be told that JavaScript cannot be told.
            let _: Result<()> = told;
            self.let_go();
        }
    }

    /// Calls `method` with `arguments` and the outcome: undefined while outputs may bring more, null where `finish` is to be asked for it.
    /// For a program that has the addon alone, the callback is called.
    pub(super) fn tell_end<'a>(
        &self,
        context: &Context<'a>,
        execution: &Execution,
        method: &CStr,
        arguments: &[Unknown<'a>],
    ) -> Result<()> {
        let env = context.env;
        let is_over = execution.is_over();
        let outcome = if is_over { execution.outcome(context, !self.is_alone)? } else { None };
        if outcome.is_some() {
            self.stop_timer();
        }
        if self.is_alone {
            self.tell(method, arguments)?;
            return outcome.map_or(Ok(()), |outcome| self.call_back(outcome));
        }
        let outcome = match outcome {
            Some(outcome) => engine::array(env, &outcome)?,
            None if is_over => engine::null(env)?,
            None => engine::undefined(env)?,
        };
        self.tell(method, &[arguments, &[outcome]].concat()).map(drop)
    }

    pub(super) fn call_back(&self, outcome: Outcome) -> Result<()> {
        let [function, arguments @ ..] = outcome;
        let callback = self.callback.borrow().clone();
        callback.map_or(Ok(false), |callback| callback.call_function(&function, &arguments)).map(drop)
    }

    /// The outcome of a run, whatever its process does; lets go of everything but that.
    pub fn finish<'a>(
        &self,
        context: &Context<'a>,
        execution: &Execution,
        end: &End<'a>,
    ) -> Result<Outcome<'a>> {
        self.stop_timer();
        let outcome = execution.finish(context, end);
        if !self.is_alive() {
            self.close_ends();
        }
        self.update_work();
        outcome
    }
}

/// Waits for an output that is gathered.
struct OutputSource(Rc<Child>, usize);

impl Source for OutputSource {
    fn ready(&self, env: &Env, _is_over: bool) {
        self.0.poll_output(env, self.1);
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}
