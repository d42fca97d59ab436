//! The outputs of `exec` and `execFile`, which are captured in memory instead of being streams.

use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::rc::Rc;

use napi::{Env, Result, Unknown};

use super::super::decoding::{decode, decode_beginning};
use super::super::exec;
use super::Child;
use super::output::Output;
use crate::capture::Problem;
use crate::capture::order::{self, Order};
use crate::capture::output::Stop;
use crate::engine;
use crate::options::Context;
use crate::reactor::Source;
use crate::sys;

/// The descriptors of the outputs.
const OUTPUTS: [usize; 2] = [1, 2];
/// Outputs of more bytes are decoded only when somebody asks for them: the text might be too long for a string.
const LONG: usize = 1 << 27;

/// The captured outputs of one process.
#[derive(Default)]
pub struct Capture {
    /// Of the texts; `None`: they are to be Buffers.
    encoding: Option<String>,
    /// The most bytes of an output. NaN sets no limit, as in a comparison in JavaScript.
    limit: f64,
    /// The order in which the bytes came, by descriptor; only if that is wanted.
    order: Option<RefCell<Order>>,
    /// By descriptor. `None`: it is not captured, or a stream has taken over.
    outputs: [RefCell<Option<Rc<Output>>>; 3],
    /// The first thing that went wrong.
    problem: Cell<Option<Problem>>,
    /// Whether the process was to be killed, or has been sent any signal.
    is_killed: Cell<bool>,
}

impl Capture {
    /// `has_order`: the order in which the bytes of both outputs come is recorded.
    pub fn new(encoding: Option<String>, limit: f64, has_order: bool) -> Rc<Self> {
        Rc::new(Self { encoding, limit, order: has_order.then(RefCell::default), ..Self::default() })
    }

    fn all(&self) -> impl Iterator<Item = Rc<Output>> {
        OUTPUTS.into_iter().filter_map(|index| self.output(index))
    }

    fn output(&self, index: usize) -> Option<Rc<Output>> {
        self.outputs.get(index)?.borrow().clone()
    }

    /// Whether nothing more will be captured.
    pub(super) fn is_over(&self) -> bool {
        self.all().all(|output| output.is_over())
    }

    pub(super) fn set_killed(&self) {
        self.is_killed.set(true);
    }

    pub fn is_killed(&self) -> bool {
        self.is_killed.get()
    }

    pub(super) fn fail(&self, problem: Problem) {
        self.problem.set(self.problem.get().or(Some(problem)));
    }

    pub fn problem(&self) -> Option<Problem> {
        self.problem.get()
    }

    fn encoding<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.encoding
            .as_ref()
            .map_or_else(|| engine::undefined(env), |name| engine::string(env, name.as_bytes()))
    }

    /// Both outputs in the order in which they came, for JavaScript; undefined if that was not wanted. Must be called
    /// before their `take`.
    pub fn interleaved<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        let Some(order) = &self.order else { return engine::undefined(env) };
        let is_text = self.encoding.is_some();
        let with_bytes = |index, body: &mut dyn FnMut(&[u8])| match self.output(index) {
            Some(output) => {
                let is_whole = output.stop() == Some(Stop::Eof);
                output.with_bytes(|bytes| body(cut(bytes, self.limit, is_text && !is_whole)));
            }
            None => body(&[]),
        };
        let [stdout, stderr] = OUTPUTS;
        let mut all = vec![];
        with_bytes(stdout, &mut |first| {
            with_bytes(stderr, &mut |second| {
                all = order.borrow().interleave(&[&[], first, second], is_text);
            });
        });
        decode(env, all, &self.encoding(env)?)
    }

    /// For streams that continue both outputs: the parts that have come so far, in order, each as its descriptor and its
    /// length.
    pub fn parts<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        let order = self.order.as_ref().map(RefCell::borrow);
        let parts = order.iter().flat_map(|order| order.parts());
        let numbers = parts.flat_map(|part| [part.output, part.length]);
        let numbers = numbers.map(|number| engine::number(env, number as f64));
        engine::array(env, &numbers.collect::<Result<Vec<_>>>()?)
    }

    /// What has been captured of an output, for JavaScript. This ends the capture.
    pub fn take<'a>(&self, context: &Context<'a>, index: usize) -> Result<Unknown<'a>> {
        let env = context.env;
        let output = self.outputs.get(index).and_then(RefCell::take);
        let captured = output.map(|output| output.take()).unwrap_or_default();
        let encoding = self.encoding(env)?;
        match captured.stop {
            Some(Stop::TooLong) => decode_beginning(context, captured, &encoding, self.limit),
            // Its pipe was closed first.
            None if !captured.bytes.is_empty() => {
                decode_beginning(context, captured, &encoding, f64::INFINITY)
            }
            _ => decode(env, captured.bytes, &encoding),
        }
    }

    /// For a stream that continues an output: `begun`, what has been captured, and the settings of the call.
    pub fn describe<'a>(&self, env: &'a Env, begun: Vec<u8>, is_last: bool) -> Result<Unknown<'a>> {
        let limit = if self.limit.is_nan() { f64::INFINITY } else { self.limit };
        let begun = decode(env, begun, &engine::undefined(env)?)?;
        let encoding = self.encoding(env)?;
        let properties = [
            (c"begun", begun),
            (c"encoding", encoding),
            (c"isLast", engine::boolean(env, is_last)?),
            (c"maxBuffer", engine::number(env, limit)?),
        ];
        engine::object(env, &properties)
    }
}

impl Child {
    pub(super) fn capture(&self) -> Option<Rc<Capture>> {
        self.capture.borrow().clone()
    }

    /// Captures the outputs from here on.
    pub(super) fn start_capture(self: &Rc<Self>, capture: &Capture) {
        let limit = if capture.limit.is_nan() { u64::MAX } else { capture.limit as u64 };
        for index in OUTPUTS {
            let (Some(end), Some(place)) = (self.take_end(index), capture.outputs.get(index)) else {
                continue;
            };
            match Output::start(&self.reactor, end, limit, self.output_source(index)) {
                Ok(output) => drop(place.replace(Some(Rc::new(output)))),
                Err(error) => {
                    capture.fail(Problem::launch(sys::errno(&error)));
                    // The error is reported when the process has ended.
                    let _ = self.kill(libc::SIGKILL);
                }
            }
        }
        self.update_work();
    }

    fn output_source(self: &Rc<Self>, index: usize) -> Rc<dyn Source> {
        Rc::new(OutputSource(Rc::clone(self), index))
    }

    /// Ends the capture of an output, because the program accesses its stream. Returns what has been captured, and
    /// whether the process has exited and this was the last output that might bring more. If the pipe is still open, it
    /// can be taken like that of any stream.
    pub fn stop_capture(&self, capture: &Capture, index: usize) -> (Vec<u8>, bool) {
        self.is_streamed.set(true);
        let was_over = capture.is_over();
        let output = capture.outputs.get(index).and_then(RefCell::take);
        let captured = output.map(|output| output.take()).unwrap_or_default();
        if let Some(place) = self.ends.borrow_mut().get_mut(index)
            && captured.fd.is_some()
        {
            *place = captured.fd;
        }
        self.update_work();
        (captured.bytes, self.exit.get().is_some() && !was_over && capture.is_over())
    }

    /// An output may be readable, or tokio may have finished reading it.
    fn poll_output(self: &Rc<Self>, env: &Env, index: usize) {
        let output = self.capture().and_then(|capture| capture.output(index));
        let Some(output) = output.filter(|output| !output.is_over()) else { return };
        // What it writes proves that its exec succeeded.
        self.poll_exec();
        self.advance(env, index, &output);
        if output.is_over() {
            self.update_work();
            self.notify_of_outputs(env);
        }
    }

    /// Reads what the outputs have now.
    pub(super) fn drain(self: &Rc<Self>, env: &Env) {
        let Some(capture) = self.capture() else { return };
        for index in OUTPUTS {
            if let Some(output) = capture.output(index)
                && output.is_on_loop()
            {
                self.advance(env, index, &output);
            }
        }
    }

    fn advance(self: &Rc<Self>, env: &Env, index: usize, output: &Output) {
        let Some(capture) = self.capture() else { return };
        let before = output.length();
        output.advance(capture.order.is_some(), || self.output_source(index));
        if let Some(order) = &capture.order {
            order.borrow_mut().note(index, output.length() - before);
        }
        match output.stop() {
            Some(Stop::TooLong) => self.cut_for_length(env, &capture, index),
            Some(Stop::Failed(errno)) => capture.fail(Problem::Failed { call: "read", errno }),
            Some(Stop::Eof) | None => {}
        }
    }

    /// An output, captured or streamed, has exceeded its limit.
    pub fn cut_for_length(self: &Rc<Self>, env: &Env, capture: &Capture, index: usize) {
        capture.fail(Problem::TooLong(index));
        self.cut_off(env, capture);
    }

    /// Kills the process, and then closes its outputs, so that it cannot react to that.
    pub(super) fn cut_off(self: &Rc<Self>, env: &Env, capture: &Capture) {
        capture.set_killed();
        self.kill_early(env);
        capture.all().for_each(|output| output.close());
        self.update_work();
        self.notify_of_outputs(env);
    }

    /// Reports that all outputs are over, if the process has ended before them.
    pub(super) fn notify_of_outputs(&self, env: &Env) {
        let Some(capture) = self.capture().filter(|capture| capture.is_over()) else { return };
        if self.exit.get().is_some() {
            // An N-API failure cannot be reported to JavaScript.
            let _: Result<()> =
                self.context(env).and_then(|context| self.notify(&context, &capture, c"onend", &[]));
            self.release_callback();
        }
    }

    /// Calls `method` with `arguments` and the outputs: undefined while they may bring more; null if something went
    /// wrong or a stream has one of them, so that JavaScript has to call `finish`. Without `lib/`, calls the callback
    /// of `exec`.
    pub(super) fn notify<'a>(
        &self,
        context: &Context<'a>,
        capture: &Capture,
        method: &CStr,
        arguments: &[Unknown<'a>],
    ) -> Result<()> {
        if self.is_alone {
            self.call_method(method, arguments)?;
            return if capture.is_over() {
                self.call_back(context, capture, context.undefined()?)
            } else {
                Ok(())
            };
        }
        let outputs =
            if capture.is_over() { self.outputs(context, capture)? } else { context.undefined()? };
        self.call_method(method, &[arguments, &[outputs]].concat()).map(drop)
    }

    /// Both outputs and what [`Capture::interleaved`] makes of them as an array, or null: see [`Child::notify`].
    fn outputs<'a>(&self, context: &Context<'a>, capture: &Capture) -> Result<Unknown<'a>> {
        let is_success =
            capture.problem.get().is_none() && self.exit.get().is_some_and(|exit| exit.is_success());
        let is_long = capture.all().any(|output| output.length() > LONG);
        if !is_success || self.is_streamed.get() || is_long {
            return engine::null(context.env);
        }
        self.stop_timer();
        let all = capture.interleaved(context.env)?;
        let [stdout, stderr] = OUTPUTS.map(|index| capture.take(context, index));
        let outputs = [stdout?, stderr?, all];
        // Creating an array takes time for each element.
        let count = if capture.order.is_some() { outputs.len() } else { OUTPUTS.len() };
        engine::array(context.env, &outputs[..count])
    }

    /// What the callback of `exec` is called with, see [`exec::callback_arguments`]. Nothing more is captured.
    pub fn finish<'a>(
        &self,
        context: &Context<'a>,
        capture: &Capture,
        call: &Unknown<'a>,
        end: &exec::CloseEvent<'a>,
    ) -> Result<exec::CallbackArguments<'a>> {
        self.stop_timer();
        let arguments = exec::callback_arguments(context, capture, call, end);
        if !self.is_alive() {
            self.close_ends();
        }
        self.update_work();
        self.release_callback();
        arguments
    }

    /// Without `lib/`: calls the callback of `exec`, once. `error` is what went wrong, if that is not known here.
    pub(super) fn call_back<'a>(
        &self,
        context: &Context<'a>,
        capture: &Capture,
        error: Unknown<'a>,
    ) -> Result<()> {
        let (Some(call), Some(callback)) = (self.call.take(), self.callback.borrow().clone()) else {
            return Ok(());
        };
        let call = call.get(context.env)?;
        let mut end = exec::CloseEvent { error, ..exec::CloseEvent::unknown(context)? };
        if let Some(exit) = self.exit.get() {
            if let Some(call) = exit.failed {
                capture.fail(Problem::Failed { call, errno: -exit.code });
            }
            [end.code, end.signal] = exit.values(context.env)?;
        }
        let [error, stdout, stderr, command, _] = self.finish(context, capture, &call, &end)?;
        if engine::is_truthy(&error)? {
            engine::set_property(context.env, &error, c"cmd", &command)?;
        }
        let function = exec::callback(&call)?;
        callback.call_function(&function, &[error, stdout, stderr]).map(drop)
    }
}

/// At most `limit` bytes. `whole`: without the beginning of a character at the end.
fn cut(bytes: &[u8], limit: f64, whole: bool) -> &[u8] {
    let end = if limit.is_nan() { bytes.len() } else { bytes.len().min(limit as usize) };
    let bytes = &bytes[..end];
    if whole { &bytes[..end - order::incomplete(bytes)] } else { bytes }
}

/// Called when a captured output is readable.
struct OutputSource(Rc<Child>, usize);

impl Source for OutputSource {
    fn ready(&self, env: &Env, _is_over: bool) {
        self.0.poll_output(env, self.1);
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}
