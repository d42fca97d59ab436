//! One run of `exec` or `execFile`: what it writes, what goes wrong, and what its callback is to be told of that.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Error, Result, Unknown, ValueType};

use super::super::decoding::{decode, decode_cut, decode_limited};
use super::super::results::{self, Started};
use super::output::{Failure, Output};
use crate::engine::{self, Held, Piece};
use crate::options::normalize::{elements, join};
use crate::options::{Context, is_truthy, kind};

/// The descriptors of the outputs.
pub(super) const OUTPUTS: [usize; 2] = [1, 2];

/// What is kept of a call.
struct Kept<'a> {
    callback: Unknown<'a>,
    /// The words of the command as it was given.
    command: Unknown<'a>,
    started: Started<'a>,
}

/// How a process ended: its code, or a negative errno and what failed with it; or the signal that ended it.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    pub code: i32,
    pub signal: Option<&'static str>,
    pub failed: Option<&'static str>,
}

impl Ending {
    fn is_success(&self) -> bool {
        self.code == 0 && self.signal.is_none()
    }

    /// As the events of a child have it.
    pub fn values<'a>(&self, env: &'a Env) -> Result<[Unknown<'a>; 2]> {
        match self.signal {
            Some(signal) => Ok([engine::null(env)?, engine::string(env, signal.as_bytes())?]),
            None => Ok([engine::number(env, f64::from(self.code))?, engine::null(env)?]),
        }
    }
}

/// How a run ended.
pub struct End<'a> {
    /// What has gone wrong, unless the run knows it.
    pub error: Unknown<'a>,
    pub code: Unknown<'a>,
    pub signal: Unknown<'a>,
    /// What streams have brought of the outputs.
    pub heard: [Unknown<'a>; 2],
}

impl<'a> End<'a> {
    /// For want of anything better: nothing has ended.
    pub fn of_error(context: &Context<'a>, error: Unknown<'a>) -> Result<Self> {
        let nothing = context.undefined()?;
        Ok(Self { error, code: nothing, signal: nothing, heard: [nothing; 2] })
    }
}

/// What a callback is called with, which comes first.
pub(in crate::api) type Outcome<'a> = [Unknown<'a>; 4];

#[derive(Default)]
pub struct Execution {
    /// An array of what [`Kept`] has; until there is an outcome.
    kept: RefCell<Option<Held>>,
    /// Of the outputs; `None`: they are to be Buffers.
    encoding: Option<String>,
    /// The most bytes of an output; not a number is no limit, as with a comparison in JavaScript.
    limit: f64,
    /// By descriptor, the outputs that are gathered and have not been taken.
    outputs: [RefCell<Option<Rc<Output>>>; 3],
    /// Whether a stream has one of the outputs.
    is_streamed: Cell<bool>,
    /// What went wrong.
    error: RefCell<Option<Held>>,
    /// Whether it was to be killed, or has been sent any signal.
    is_killed: Cell<bool>,
    ending: Cell<Option<Ending>>,
}

impl Execution {
    /// `kept`: the callback, the words of the command as it was given, its file and `argv` as they are run.
    pub fn new(
        context: &Context,
        kept: [Unknown; 4],
        encoding: Option<String>,
        limit: f64,
    ) -> Result<Rc<Self>> {
        let kept = Held::new(context.env, &engine::array(context.env, &kept)?)?;
        Ok(Rc::new(Self { kept: RefCell::new(Some(kept)), encoding, limit, ..Self::default() }))
    }

    fn kept<'a>(&self, context: &Context<'a>) -> Result<Kept<'a>> {
        let missing = || Error::from_reason("there has been an outcome");
        let kept = self.kept.borrow().as_ref().ok_or_else(missing)?.get(context.env)?;
        let [callback, command, file, args] =
            <[Unknown; 4]>::try_from(elements(&kept)?).map_err(|_| missing())?;
        Ok(Kept { callback, command, started: Started { file, args } })
    }

    fn encoding<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.encoding
            .as_ref()
            .map_or_else(|| engine::undefined(env), |name| engine::string(env, name.as_bytes()))
    }

    fn is_finished(&self) -> bool {
        self.kept.borrow().is_none()
    }

    /// The most bytes that are gathered of an output.
    pub fn most(&self) -> u64 {
        if self.limit.is_nan() { u64::MAX } else { self.limit as u64 }
    }

    /// The output of a descriptor, where it is gathered.
    pub(super) fn output(&self, index: usize) -> Option<Rc<Output>> {
        self.outputs.get(index)?.borrow().clone()
    }

    pub(super) fn add(&self, index: usize, output: Output) {
        if let Some(place) = self.outputs.get(index) {
            place.replace(Some(Rc::new(output)));
        }
    }

    /// Gives an output up to a stream.
    pub(super) fn take_for_stream(&self, index: usize) -> Option<Rc<Output>> {
        let place = self.outputs.get(index)?;
        self.is_streamed.set(true);
        place.take()
    }

    /// Whether no more will come that is gathered.
    pub fn is_over(&self) -> bool {
        OUTPUTS.iter().filter_map(|index| self.output(*index)).all(|output| output.is_over())
    }

    /// Closes the outputs; what came is kept.
    pub fn close(&self) {
        OUTPUTS.iter().filter_map(|index| self.output(*index)).for_each(|output| output.close());
    }

    pub fn set_killed(&self) {
        self.is_killed.set(true);
    }

    pub(super) fn end(&self, ending: Ending) {
        self.ending.set(Some(ending));
    }

    pub fn has_ended(&self) -> bool {
        self.ending.get().is_some()
    }

    /// Something has gone wrong, which is not the first thing to do so.
    fn fail_after_others(&self, context: &Context, error: &Unknown) -> Result<()> {
        let error = Held::new(context.env, error)?;
        self.error.borrow_mut().get_or_insert(error);
        Ok(())
    }

    /// A system call has failed for it.
    pub fn fail_to(&self, context: &Context, errno: i32, call: &str) -> Result<()> {
        let error = match call {
            "read" => results::errno_error(context, errno, &[Piece::Text(call)])?,
            _ => self.kept(context)?.started.failed(context, errno, call)?,
        };
        self.fail_after_others(context, &error.to_unknown())
    }

    /// An output has become too long.
    pub fn fail_for_length(&self, context: &Context, index: usize) -> Result<()> {
        let error = context.too_much_output(results::NAMES.get(index).copied().unwrap_or_default())?;
        self.error.replace(Some(Held::new(context.env, &error)?));
        Ok(())
    }

    /// What an output that becomes a stream has brought so far, with the settings that it is heard with.
    pub fn describe<'a>(&self, context: &Context<'a>, begun: Vec<u8>) -> Result<Unknown<'a>> {
        let env = context.env;
        let limit = if self.limit.is_nan() { f64::INFINITY } else { self.limit };
        let begun = decode(env, begun, &engine::undefined(env)?)?;
        let encoding = self.encoding(env)?;
        let properties =
            [(c"begun", begun), (c"encoding", encoding), (c"maxBuffer", engine::number(env, limit)?)];
        engine::object(env, &properties)
    }

    /// The outcome, once the process has ended and all has come; `None`: somebody else has to ask for it, who knows more. `is_told`: a
    /// failure is left to JavaScript, whose stack the error has then.
    pub fn outcome<'a>(&self, context: &Context<'a>, is_told: bool) -> Result<Option<Outcome<'a>>> {
        let Some(ending) = self.ending.get() else { return Ok(None) };
        let is_success = ending.is_success() && self.error.borrow().is_none();
        if self.is_streamed.get() || self.is_finished() || is_told && !is_success {
            return Ok(None);
        }
        if let Some(call) = ending.failed {
            self.fail_to(context, -ending.code, call)?;
        }
        let [code, signal] = ending.values(context.env)?;
        self.finish(context, &End { code, signal, ..End::of_error(context, context.undefined()?)? }).map(Some)
    }

    /// Lets go of everything but what is returned.
    pub fn finish<'a>(&self, context: &Context<'a>, end: &End<'a>) -> Result<Outcome<'a>> {
        let env = context.env;
        let Kept { callback, command, .. } = self.kept(context)?;
        self.kept.take();
        let gathered = self.outputs.each_ref().map(RefCell::take);
        if !engine::is_function(env, &callback)? {
            return Ok([callback; 4]);
        }
        let [_, stdout, stderr] = &gathered;
        let stdout = self.text(context, stdout.as_deref(), end.heard[0])?;
        let stderr = self.text(context, stderr.as_deref(), end.heard[1])?;
        let known = self.error.take();
        let error = if is_truthy(&end.error)? {
            end.error
        } else if let Some(error) = known {
            error.get(env)?
        } else if kind(&end.signal)? == ValueType::Null && is_zero(env, &end.code)? {
            return Ok([callback, engine::null(env)?, stdout, stderr]);
        } else {
            self.failed(context, end, &command, &stderr)?.to_unknown()
        };
        // What the program has emitted itself need not be an object.
        let _ = engine::set_property(env, &error, c"cmd", &line(context, &command)?);
        Ok([callback, error, stdout, stderr])
    }

    /// What an output has brought: `heard`, where a stream has it.
    fn text<'a>(
        &self,
        context: &Context<'a>,
        output: Option<&Output>,
        heard: Unknown<'a>,
    ) -> Result<Unknown<'a>> {
        let env = context.env;
        if kind(&heard)? != ValueType::Undefined {
            return Ok(heard);
        }
        let encoding = self.encoding(env)?;
        let Some(output) = output else { return decode(env, vec![], &encoding) };
        let is_too_long = matches!(output.failure(), Some(Failure::TooLong));
        let is_cut = output.is_cut() || !output.is_over();
        let gathered = output.take();
        let text = if is_too_long {
            decode_limited(env, gathered, &encoding, self.limit)
        } else if is_cut && self.encoding.is_some() {
            decode_cut(env, gathered.bytes, &encoding)
        } else {
            decode(env, gathered.bytes, &encoding)
        };
        // It may be longer than a text can be.
        text.or_else(|error| {
            self.fail_after_others(context, &engine::thrown(env, error))?;
            decode(env, vec![], &encoding)
        })
    }

    fn failed<'a>(
        &self,
        context: &Context<'a>,
        end: &End<'a>,
        command: &Unknown<'a>,
        stderr: &Unknown<'a>,
    ) -> Result<Object<'a>> {
        let env = context.env;
        let mut error = results::command_failed(env, line(context, command)?, stderr, "\n")?;
        let errno = engine::to_f64(env, &end.code).ok().filter(|code| *code < 0.0);
        match errno {
            Some(errno) => error.set_c_named_property(c"code", context.errno_name(-errno as i32)?)?,
            None => error.set_c_named_property(c"code", end.code)?,
        }
        error.set_c_named_property(c"killed", self.is_killed.get())?;
        error.set_c_named_property(c"signal", end.signal)?;
        Ok(error)
    }
}

/// The words of a command as one line.
fn line<'a>(context: &Context<'a>, command: &Unknown<'a>) -> Result<Unknown<'a>> {
    join(context, &elements(command)?)
}

fn is_zero(env: &Env, value: &Unknown) -> Result<bool> {
    Ok(kind(value)? == ValueType::Number && engine::to_f64(env, value)? == 0.0)
}
